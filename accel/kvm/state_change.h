// SPDX-License-Identifier: GPL-2.0-or-later
// Putting into KVM what one instruction has changed, and nothing else: what KVM keeps beside, and
// what has come to it meanwhile, stays.
#pragma once

#include "accel/kvm/vcpu_handle.h"
#include "target/x86/cpu_state.h"

#include <optional>

namespace rhea::kvm {

struct StateChange {
  x86::CpuState read;           ///< as KVM gave it
  x86::CpuState before, after;  ///< as another processor had it: what differs has changed
  std::optional<u64> tsc;       ///< the time stamp counter, if it was written
};

/// Takes changed components of an XSAVE area over into KVM's, which may have more. False: nothing
/// has changed.
bool merge_xsave(std::vector<u8>& area, const std::vector<u8>& before,
                 const std::vector<u8>& after);

Result<> write_change(Vm& vm, const VcpuHandle& handle, const StateChange& change);

}  // namespace rhea::kvm
