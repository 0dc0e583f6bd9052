// SPDX-License-Identifier: GPL-2.0-or-later
// The leaves of Microsoft's hypervisor interface (TLFS, 2.4).
#include "target/x86/hyperv.h"

#include <algorithm>
#include <cstring>

namespace rhea::x86 {
namespace {

struct Row {
  std::string_view name;
  HypervFeature feature;
  u32 privileges{};       ///< leaf 3, EAX
  u32 features{};         ///< leaf 3, EDX
  u32 recommendations{};  ///< leaf 4, EAX
};
constexpr Row kRows[] = {
    {"hv-relaxed", HypervFeature::Relaxed, 0, 0, 1 << 5},
    {"hv-vapic", HypervFeature::Vapic, 1 << 4, 0, 1 << 3},
    {"hv-vpindex", HypervFeature::VpIndex, 1 << 6, 0, 0},
    {"hv-runtime", HypervFeature::Runtime, 1 << 0, 0, 0},
    {"hv-reset", HypervFeature::Reset, 1 << 7, 0, 0},
    {"hv-time", HypervFeature::Time, 1 << 1 | 1 << 9, 0, 0},
    {"hv-frequencies", HypervFeature::Frequencies, 1 << 11, 1 << 8, 0},
};

constexpr u32 kHypercallMsrs = 1 << 5;
constexpr u32 kDynamicPartitioning = 1 << 3;  // without it Windows plugs no processors
constexpr u32 kInterface = 0x3123'7648;       // "Hv#1"
constexpr u32 kBuild = 0x3839, kVersion = 0xa'0000;
constexpr u32 kMostProcessors = 64;

}  // namespace

std::optional<HypervFeature> find_hyperv_feature(std::string_view name) {
  const auto* const row = std::ranges::find(kRows, name, &Row::name);
  if (row == std::end(kRows)) return std::nullopt;
  return row->feature;
}

std::string_view hyperv_name(HypervFeature feature) {
  return std::ranges::find(kRows, feature, &Row::feature)->name;
}

CpuidResult hyperv_leaf(const Hyperv& hyperv, u32 offset) {
  CpuidResult result;
  switch (offset) {
    case 0: {
      u32 words[3] = {};
      std::memcpy(words, hyperv.vendor.data(), std::min(hyperv.vendor.size(), sizeof words));
      return {.eax = kHypervisorFirst + kHypervLeaves - 1,
              .ebx = words[0],
              .ecx = words[1],
              .edx = words[2]};
    }
    case 1: return {.eax = kInterface};
    case 2: return {.eax = kBuild, .ebx = kVersion};
    case 3:
      result = {.eax = kHypercallMsrs, .edx = kDynamicPartitioning};
      for (const Row& row : kRows) {
        if (!hyperv.has(row.feature)) continue;
        result.eax |= row.privileges;
        result.edx |= row.features;
      }
      return result;
    case 4:
      for (const Row& row : kRows)
        if (hyperv.has(row.feature)) result.eax |= row.recommendations;
      result.ebx = hyperv.spinlock_retries;
      return result;
    case 5: return {.eax = kMostProcessors};
    default: return {};
  }
}

}  // namespace rhea::x86
