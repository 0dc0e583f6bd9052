// SPDX-License-Identifier: GPL-2.0-or-later
// What the software CPU is wired to while it does an instruction for KVM.
#pragma once

#include "accel/machine_bus.h"
#include "rhea/util/rcu.h"
#include "target/x86/cpu.h"

#include <optional>

namespace rhea::kvm {

class KvmVcpu;

/// Thrown where an access is beyond us; nothing of it has happened.
struct CannotStep {
  const char* why;
};

/// Memory and ports are the machine's; what else lies outside the core (time, MSRs that the core
/// does not know, the local APIC) is asked of KVM.
class SoftwareBus final : public accel::MachineBus {
 public:
  explicit SoftwareBus(KvmVcpu& vcpu);

  /// Only between these two does anything reach KVM or the machine; loading and saving the core's
  /// state do not.
  void begin(x86::Cpu& cpu);
  void end();
  void load(const x86::CpuState& state);

  u64 tsc() override;
  bool read_msr(u32 index, u64& value) override;
  bool write_msr(u32 index, u64 value) override;
  u8 task_priority() override { return cr8_; }
  void set_task_priority(u8 priority) override;
  void exclusively(void (*action)(void*), void* argument) override;

 private:
  /// Accesses to devices before a repeated string instruction lets KVM look for interrupts.
  static constexpr unsigned kAccesses = 256;
  bool leave() override;
  void enter() override;
  bool is_apic_page(u64 address) const override;
  u64 read_apic(unsigned offset, unsigned size) override;
  void write_apic(unsigned offset, u64 value, unsigned size) override;

  KvmVcpu* vcpu_;
  x86::Cpu* cpu_{};  ///< while an instruction executes
  std::optional<RcuGuard> guard_;
  unsigned accesses_{};
  u8 cr8_{};
  u64 apic_base_{};
};

}  // namespace rhea::kvm
