// SPDX-License-Identifier: GPL-2.0-or-later
// A vCPU's local APIC outside the kernel (kernel-irqchip=off), and what it asks of the processor.
#pragma once

#include "accel/apic/local_apic.h"
#include "accel/kvm/uapi.h"
#include "rhea/util/error.h"
#include "target/x86/cpu_state.h"

#include <atomic>
#include <optional>

namespace rhea::kvm {

class KvmVcpu;

/// xAPIC only: KVM keeps the MSRs of x2APIC and of TSC deadlines to itself, so neither is offered.
class UserApic final : private apic::Processor {
 public:
  UserApic(KvmVcpu& vcpu, u32 id, bool boot_processor);

  apic::LocalApic& apic() { return apic_; }
  bool is_page(u64 address) const {
    return apic_.enabled() && apic_.page() == (address & ~u64{0xfff});
  }
  /// What KVM_RUN shares about it: before entering the guest, and after leaving it.
  void give(kvm_run& run) const { run.cr8 = apic_.cr8(); }
  void take(const kvm_run& run);

  /// Whether the processor has an interrupt to take; it is moved into service. The machine's lock
  /// is taken for the 8259s'.
  bool waits();
  std::optional<u8> acknowledge();

  // On the vCPU's thread.
  /// INIT keeps part of the state (SDM vol. 3, table 10-1).
  Result<> take_init();
  Result<> take_start_up();
  void reset();

 private:
  void interrupt() override;
  void nmi() override;
  void smi() override;
  void init() override;
  void start_up(u8 vector) override;
  /// For the mode that is not offered.
  u64 time_stamp() override { return 0; }
  u32 tsc_khz() const override { return 1; }
  bool passes_pic() const;

  KvmVcpu* vcpu_;
  bool boot_processor_;
  apic::LocalApic apic_;
  std::atomic<u8> start_up_vector_{};
};

}  // namespace rhea::kvm
