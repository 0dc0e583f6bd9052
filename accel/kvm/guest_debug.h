// SPDX-License-Identifier: GPL-2.0-or-later
// A vCPU under a debugger: KVM_SET_GUEST_DEBUG and KVM_EXIT_DEBUG.
#pragma once

#include "accel/accelerator.h"
#include "accel/kvm/uapi.h"

#include <optional>
#include <vector>

namespace rhea::kvm {

class KvmVcpu;

/// Watchpoints and breakpoints take the processor's debug registers, of which the guest has none
/// meanwhile; breakpoints that find none left are CodePatches. On the vCPU's thread.
class GuestDebug {
 public:
  explicit GuestDebug(KvmVcpu& vcpu) : vcpu_(&vcpu) {}
  ~GuestDebug();
  GuestDebug(const GuestDebug&) = delete;
  GuestDebug& operator=(const GuestDebug&) = delete;

  Result<> set_single_step(accel::SingleStep how);
  Result<> set_stops(const x86::DebugStops& stops);
  bool steps() const { return step_ != accel::SingleStep::Off; }

  /// What the vCPU left the guest for. Nullopt: an event of the guest's own, which it gets now, or
  /// nothing any more: go on.
  std::optional<x86::DebugStop> stop_of(const kvm_debug_exit_arch& exit);

 private:
  static constexpr std::size_t kRegisters = 4;
  /// What a debug register is for.
  struct Use {
    u64 address{};
    u64 control{};  ///< its bits of DR7, as register 0
    std::optional<x86::WatchedRange> watch;
  };
  Result<> watch(const x86::WatchedRange& range, std::vector<Use>& uses) const;
  void place(const std::vector<u64>& code, std::vector<Use>& uses, std::vector<u64>& patched);
  Result<> tell_kvm();
  std::optional<x86::DebugStop> breakpoint(const kvm_debug_exit_arch& exit);
  std::optional<x86::DebugStop> trap(const kvm_debug_exit_arch& exit);
  /// Gives the guest an exception that KVM has given us.
  void give_back(u8 vector, std::optional<u64> payload);

  KvmVcpu* vcpu_;
  accel::SingleStep step_{};
  std::vector<Use> uses_;
  std::vector<u64> patched_;
};

}  // namespace rhea::kvm
