// SPDX-License-Identifier: GPL-2.0-or-later
// One KVM virtual machine: its descriptor and the parts that drive it.
#pragma once

#include "accel/accelerator.h"
#include "accel/kvm/coalesced.h"
#include "accel/kvm/code_patches.h"
#include "accel/kvm/dirty_log.h"
#include "accel/kvm/event_fds.h"
#include "accel/kvm/guest_gate.h"
#include "accel/kvm/interrupts.h"
#include "accel/kvm/ioctl.h"
#include "accel/kvm/memory_slots.h"
#include "accel/kvm/system.h"
#include "accel/kvm/vcpu_handle.h"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace rhea::kvm {

struct CpuidPlace;

struct VmOptions {
  Irqchip irqchip{Irqchip::Kernel};
  u32 dirty_ring_entries{0};
  bool guest_memfd{false};
};

class Vm final : public accel::VmBackend {
 public:
  static Result<std::unique_ptr<Vm>> create(Machine& machine, std::unique_ptr<System> system,
                                            const VmOptions& options);
  ~Vm() override;
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;
  /// The machine's VM; nullptr when it does not run on KVM.
  static Vm* of(Machine& machine);

  accel::BoardParts parts() const override;
  Result<std::unique_ptr<accel::VcpuBackend>> create_vcpu(unsigned index) override;
  Result<> board_ready() override;
  std::string describe() const override;

  Machine& machine() const { return *machine_; }
  System& system() const { return *system_; }
  int fd() const { return fd_.get(); }
  const VmOptions& options() const { return options_; }
  /// KVM_CHECK_EXTENSION on the VM, which may say more than on the system.
  int extension(int capability) const;
  Result<> enable_capability(u32 capability, u64 argument0 = 0, u64 argument1 = 0);
  /// In the kernel.
  bool has_local_apics() const { return options_.irqchip != Irqchip::None; }
  bool exception_payload() const { return exception_payload_; }
  bool triple_fault_event() const { return triple_fault_event_; }
  /// Whether an instruction that KVM cannot emulate is always left to us; else it is #UD for user
  /// programs, and for the kernel as well unless we take that back.
  bool asks_before_undefined() const { return asks_before_undefined_; }
  /// Held by a software CPU that wants to be the only one.
  std::mutex& software_alone() { return software_alone_; }

  MemorySlots& slots() { return *slots_; }
  DirtyLog& dirty_log() { return dirty_log_; }
  CoalescedRing& coalesced() { return *coalesced_; }
  GuestGate& gate() { return gate_; }
  CodePatches& code_patches() { return code_patches_; }
  Interrupts& interrupts() { return *interrupts_; }

  /// The 8259s' INTR output, where Rhea has them: it goes to the boot processor.
  void set_pic_line(bool level);
  /// One line on standard error, the first time that `key` comes. Thread-safe.
  void warn_once(const std::string& key, const std::string& text);

  // For KvmVcpu: the handle of an unplugged processor waits here.
  void adopt(KvmVcpu& vcpu);
  void park(KvmVcpu& vcpu, std::unique_ptr<VcpuHandle> handle);
  std::size_t parked() const { return parked_.size(); }

 private:
  struct Registration;  // in the machine's services, for of()
  Vm(Machine& machine, std::unique_ptr<System> system, const VmOptions& options);
  Result<> set_up();
  Result<> place_kernel_pages();
  Result<> keep_idle_processors();
  void enable_optional();
  bool try_enable(u32 capability, u64 argument);
  Result<std::vector<kvm_cpuid_entry2>> leaves_for(const CpuidPlace& place);
  Result<std::unique_ptr<VcpuHandle>> new_handle(u32 apic_id);
  void listen();

  Machine* machine_;
  std::unique_ptr<System> system_;
  VmOptions options_;
  FileDescriptor fd_;
  bool exception_payload_{false};
  bool triple_fault_event_{false};
  bool asks_before_undefined_{false};
  std::mutex software_alone_;
  std::mutex warned_mutex_;
  std::set<std::string> warned_;
  GuestGate gate_;
  CodePatches code_patches_;
  DirtyLog dirty_log_;
  std::unique_ptr<MemorySlots> slots_;
  std::unique_ptr<CoalescedRing> coalesced_;
  std::unique_ptr<Interrupts> interrupts_;
  EventFds memory_eventfds_, port_eventfds_;
  CoalescedRanges memory_ranges_, port_ranges_;
  bool listening_{false};
  bool told_absent_{false};  ///< which features of -cpu KVM lacks
  Registration* registration_{};
  KvmVcpu* boot_vcpu_{};
  std::map<u32, std::unique_ptr<VcpuHandle>> parked_;  ///< by APIC id
};

}  // namespace rhea::kvm
