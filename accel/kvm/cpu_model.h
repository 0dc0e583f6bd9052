// SPDX-License-Identifier: GPL-2.0-or-later
// -cpu on KVM: the model's share of what KVM supports.
#pragma once

#include "accel/kvm/uapi.h"
#include "target/x86/models.h"

#include <vector>

namespace rhea::kvm {

struct ModelLeaves {
  std::vector<kvm_cpuid_entry2> leaves;
  x86::ModelFit fit;  ///< absent: features of the request that KVM does not support
};

/// A processor's leaves (make_cpuid), cut down to the request. As in QEMU, a named model keeps the
/// host's vendor unless -cpu names another: SYSENTER and SYSCALL work as the host's do.
ModelLeaves apply_model(std::vector<kvm_cpuid_entry2> supported, const x86::CpuRequest& request);

/// The processor that these leaves tell of, for the software CPU. Features that it lacks are in,
/// too.
x86::CpuModel software_model(const std::vector<kvm_cpuid_entry2>& leaves);

}  // namespace rhea::kvm
