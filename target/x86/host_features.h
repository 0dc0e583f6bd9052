// SPDX-License-Identifier: GPL-2.0-or-later
// What the host's processor can execute for the guest's.
#pragma once

#include "target/x86/features.h"

#include <string>

namespace rhea::x86 {

/// All features but those of vector instructions that the host lacks: the software processor
/// executes those with the host's own, so a guest must not be offered them.
FeatureSet host_supported_features();

/// Of the host's processor, as its CPUID has it: 12 characters.
std::string host_vendor();

/// Whether the host's own CPUID tells of the feature.
bool host_has(const FeatureRow& row);

}  // namespace rhea::x86
