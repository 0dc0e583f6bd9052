// SPDX-License-Identifier: GPL-2.0-or-later
// A vCPU on KVM: entering the guest, leaving it when somebody wants, handling what it left for.
#pragma once

#include "accel/accelerator.h"
#include "accel/kvm/guest_debug.h"
#include "accel/kvm/uapi.h"
#include "accel/kvm/vcpu_handle.h"
#include "util/sleeper.h"

#include <atomic>
#include <string>

namespace rhea::kvm {

class SoftwareStep;
class UserApic;
class Vm;

/// What a vCPU looks at before it enters the guest.
enum class Attention : u32 {
  Gate = 1,     ///< the VM's gate is closed
  PicLine = 2,  ///< the 8259s' INTR is high
  Kick = 4,     ///< run() is to return
  Halted = 8,   ///< HLT was left to us, there being no local APIC in the kernel
  // From a local APIC outside the kernel:
  Interrupt = 16,
  Nmi = 32,
  Smi = 64,
  Init = 128,
  StartUp = 256,
  WaitsForStartUp = 512,
};

class KvmVcpu final : public accel::VcpuBackend {
 public:
  KvmVcpu(Vm& vm, unsigned index, std::unique_ptr<VcpuHandle> handle);
  /// Parks the handle.
  ~KvmVcpu() override;
  KvmVcpu(const KvmVcpu&) = delete;
  KvmVcpu& operator=(const KvmVcpu&) = delete;

  void thread_started() override;
  void run() override;
  void kick() override;
  void thread_ending() override;

  Result<> get_state(x86::CpuState& state) override;
  Result<> set_state(const x86::CpuState& state) override;
  void reset(ResetKind kind) override;
  void inject_nmi() override;
  std::optional<GuestPhys> translate(GuestVirt address) override;
  Result<> set_single_step(accel::SingleStep how) override;
  Result<> set_debug_stops(const x86::DebugStops& stops) override;
  std::optional<x86::DebugStop> take_debug_stop() override;
  accel::XsaveOffsets xsave_offsets() const override;

  /// Acts on what the shared area says the guest left for. False: let the thread look around before
  /// going on.
  bool handle_exit();

  unsigned index() const { return index_; }
  Vm& vm() const { return *vm_; }
  VcpuHandle& handle() { return *handle_; }
  bool in_guest() const { return in_guest_.load(std::memory_order_acquire); }
  /// From any thread. alert() also gets the vCPU out of the guest if it is there.
  void set_attention(Attention what, bool on);
  void alert(Attention what);
  /// From the local APIC; none gets lost that the hardware would latch.
  void queue_nmi();
  bool touched() const override { return touched_.load(std::memory_order_relaxed); }
  void clear_touched() override { touched_.store(false, std::memory_order_relaxed); }
  bool has(Attention what) const {
    return (attention_.load(std::memory_order_seq_cst) & static_cast<u32>(what)) != 0;
  }
  /// Null when the local APIC is in the kernel.
  UserApic* user_apic() const { return user_apic_.get(); }
  /// All but the local APIC and whether it waits or halts.
  Result<> set_processor_state(const x86::CpuState& state);

  // For SoftwareStep.
  void set_stepping(SoftwareStep* step);
  /// The processor has executed HLT.
  Result<> halt();

 private:
  enum class KickBy : u8 {
    ImmediateExit,  ///< a flag that KVM_RUN reads on entry, and a signal for who is inside
    SignalMask,     ///< a signal that only KVM_RUN lets through
  };
  bool attend();
  bool idle() const { return has(Attention::Halted) || has(Attention::WaitsForStartUp); }
  bool wait_while_idle();
  bool take(Attention what);
  void take_signals();
  void complete_access();
  bool entry_failed(int error);
  void consume_kick();
  void offer_pic_interrupt();
  void offer_interrupt();
  void inject(u8 vector);

  void port_access();
  void memory_access();
  bool system_event();
  bool msr_access(bool write);
  bool hypercall();
  bool end_of_interrupt();
  bool debug_exit();
  bool stop_for_debugger(const x86::DebugStop& why);
  bool internal_error();
  bool memory_fault();
  /// The software CPU does what KVM could not; `why` is said if it cannot either.
  bool finish_in_software(const std::string& why, bool only_events);
  /// Shows registers and code and pauses the guest.
  bool stuck(const std::string& why);
  std::string code_text(const x86::CpuState& state);

  Vm* vm_;
  unsigned index_;
  std::unique_ptr<VcpuHandle> handle_;
  kvm_run* run_;
  AddressSpace* memory_;
  AddressSpace* io_;
  KickBy kick_by_;
  std::unique_ptr<UserApic> user_apic_;
  std::unique_ptr<SoftwareStep> software_;        ///< once it was needed
  std::atomic<SoftwareStep*> stepping_{nullptr};  ///< while it works
  GuestDebug debug_{*this};
  std::optional<x86::DebugStop> debug_stop_;  ///< the last one, until somebody asks
  std::atomic<bool> in_guest_{false};
  std::atomic<u32> attention_{0};
  Sleeper sleeper_;
  std::atomic<u32> nmis_{0};  ///< of our local APIC, not yet handed to KVM
  std::atomic<int> tid_{0};
  std::atomic<bool> touched_{true};
};

}  // namespace rhea::kvm
