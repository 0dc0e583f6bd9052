// SPDX-License-Identifier: GPL-2.0-or-later
// Processor features by the names of QEMU's -cpu, and where CPUID tells of each.
#pragma once

#include "rhea/util/types.h"
#include "target/x86/features_list.h"

#include <array>
#include <bitset>
#include <optional>
#include <string_view>

namespace rhea::x86 {

/// Registers of CPUID's answer.
enum class CpuidRegister : u8 { Eax, Ebx, Ecx, Edx };

struct FeatureRow {
  Feature feature{};
  std::string_view name;  ///< as in -cpu MODEL,+name
  u32 leaf{}, subleaf{};
  CpuidRegister reg{};
  u8 bit{};
};

/// Every feature, in the order of the enumeration.
const std::array<FeatureRow, kFeatures>& feature_rows();
std::optional<Feature> find_feature(std::string_view name);

using FeatureSet = std::bitset<kFeatures>;

}  // namespace rhea::x86
