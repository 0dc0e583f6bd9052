// SPDX-License-Identifier: GPL-2.0-or-later
// Microsoft's hypervisor interface (Hypervisor Top Level Functional Specification), as much of it
// as -cpu hv-* tells a guest of. Windows guests wait less and read the time faster with it.
#pragma once

#include "target/x86/cpuid.h"

#include <optional>
#include <string_view>

namespace rhea::x86 {

/// By its name on the command line.
std::optional<HypervFeature> find_hyperv_feature(std::string_view name);
std::string_view hyperv_name(HypervFeature feature);

inline constexpr u32 kHypervisorFirst = 0x4000'0000;
/// Leaves from kHypervisorFirst on; another hypervisor's own follow behind.
inline constexpr u32 kHypervLeaves = 6, kBehindHyperv = kHypervisorFirst + 0x100;
/// Leaf kHypervisorFirst + `offset`.
CpuidResult hyperv_leaf(const Hyperv& hyperv, u32 offset);

// TLFS, appendix C.
namespace hyperv_msr {
inline constexpr u32 kGuestOsId = 0x4000'0000, kHypercall = 0x4000'0001, kVpIndex = 0x4000'0002,
                     kReset = 0x4000'0003, kTimeRefCount = 0x4000'0020, kReferenceTsc = 0x4000'0021,
                     kTscFrequency = 0x4000'0022, kApicFrequency = 0x4000'0023, kEoi = 0x4000'0070,
                     kIcr = 0x4000'0071, kTpr = 0x4000'0072, kVpAssistPage = 0x4000'0073;
}  // namespace hyperv_msr

}  // namespace rhea::x86
