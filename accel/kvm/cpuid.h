// SPDX-License-Identifier: GPL-2.0-or-later
// What CPUID tells the guest: the host's answers as far as KVM supports them, each processor with
// its own numbers.
#pragma once

#include "accel/kvm/uapi.h"
#include "rhea/util/error.h"
#include "target/x86/topology.h"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace rhea::kvm {

struct CpuidPlace {
  x86::Topology topology;
  u32 apic_id{};
  bool local_apic{true};    ///< in the kernel
  bool tsc_deadline{true};  ///< the kernel's local APIC has the mode
};

/// The leaves for the processor at `place`, made from what KVM supports.
std::vector<kvm_cpuid_entry2> make_cpuid(std::vector<kvm_cpuid_entry2> supported,
                                         const CpuidPlace& place);

/// Gives the leaves to `set` (which answers like an ioctl). When it refuses them, drops the one
/// leaf that it refuses and says so through `warn`; an error when that does not help.
Result<> apply_cpuid(std::span<const kvm_cpuid_entry2> leaves,
                     const std::function<int(std::span<const kvm_cpuid_entry2>)>& set,
                     const std::function<void(std::string)>& warn);

}  // namespace rhea::kvm
