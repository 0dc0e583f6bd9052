// SPDX-License-Identifier: GPL-2.0-or-later
// A machine on the software CPU.
#pragma once

#include "accel/accelerator.h"
#include "accel/jit/code_map.h"
#include "accel/jit/code_memory.h"
#include "accel/jit/hyperv.h"
#include "accel/jit/turns.h"
#include "target/x86/cpuid.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace rhea::jit {

class JitVcpu;
class PerfMap;

/// Watches the memory map for the processors and lets one of them be alone.
class Vm final : public accel::VmBackend, private MemoryListener {
 public:
  /// `translate`: to host code, of so many bytes in all (0: as many as is usual); else all is
  /// interpreted.
  /// `verify`: what is translated is compared with what is interpreted (Verifier).
  explicit Vm(Machine& machine, bool translate = false, std::size_t code_bytes = 0,
              bool verify = false);
  ~Vm() override;
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;

  Result<std::unique_ptr<accel::VcpuBackend>> create_vcpu(unsigned index) override;
  Result<> board_ready() override;
  std::string describe() const override;

  Machine& machine() const { return *machine_; }
  CodeMap& code() { return code_; }
  CodeMemory& code_memory() { return code_memory_; }
  /// While there is more decoded code than there may be. Has who has most of it forget it; false:
  /// the caller is to forget its own.
  bool make_room(const JitVcpu& caller);
  bool translates() const { return translates_; }
  bool verifies() const { return verifies_; }
  /// Bytes of host code that each processor has.
  std::size_t translation_capacity() const;
  /// Tells every processor: blocks of the page are void. The caller is a vCPU's thread.
  void code_changed(JitVcpu& by, const CodePage& page);
  PerfMap& perf_map() const { return *perf_map_; }
  HypervPartition& hyperv() { return hyperv_; }
  /// Null unless -icount asked for them.
  Turns* turns() const { return turns_.get(); }

  void add(JitVcpu& vcpu);
  void remove(JitVcpu& vcpu);
  const std::vector<JitVcpu*>& vcpus() const { return vcpus_; }

  /// The boot processor's pin A20M#: closed, it clears bit 20 of physical addresses. A change sets
  /// Attention::FlushTlb.
  bool a20_open() const { return a20_open_.load(); }

  /// Memory as processors in system management mode see it. Takes the machine's lock.
  AddressSpace& management_memory();

  /// Waits until every processor but the caller has dropped its TLBs' ways to write. The caller is
  /// a vCPU's thread outside its RcuGuard, or another thread.
  void drop_writes_of_others(const JitVcpu* caller);
  /// Runs `action` while no other processor executes; within it, too. The caller's RcuGuard is not
  /// held.
  void exclusively(JitVcpu& caller, void (*action)(void*), void* argument);
  /// Whether somebody else is alone, so that `vcpu` must wait (wait_open) before it goes on.
  bool closed_to(const JitVcpu& vcpu) const {
    const JitVcpu* owner = owner_.load(std::memory_order_seq_cst);
    return owner != nullptr && owner != &vcpu;
  }
  void wait_open();

 private:
  std::string describe_comparison() const;
  bool forget_hidden_code();
  void commit() override;
  void log_change(const FlatRange& range, unsigned old_clients, unsigned new_clients) override;

  Machine* machine_;
  std::optional<x86::CpuModel> model_;  ///< once the first processor is made
  CodeMap code_;
  CodeMemory code_memory_;
  bool translates_, verifies_;
  std::size_t code_bytes_;
  PerfMap* perf_map_;
  HypervPartition hyperv_;
  std::shared_ptr<char> alive_{std::make_shared<char>()};
  std::atomic<AddressSpace*> management_memory_{nullptr};
  std::atomic<bool> a20_open_{true};
  std::vector<JitVcpu*> vcpus_;
  std::unique_ptr<Turns> turns_;
  std::mutex alone_;  ///< whoever wants to be
  std::mutex gate_mutex_;
  std::condition_variable opened_;
  std::atomic<JitVcpu*> owner_{nullptr};  ///< who is alone
};

}  // namespace rhea::jit
