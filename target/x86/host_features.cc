// SPDX-License-Identifier: GPL-2.0-or-later
// What the host's processor can execute for the guest's.
#include "target/x86/host_features.h"

#include <cpuid.h>

#include <algorithm>
#include <array>

namespace rhea::x86 {
namespace {

/// Features whose instructions run natively.
constexpr Feature kNative[] = {
    Feature::Fpu,  Feature::Mmx,   Feature::Fxsr,      Feature::Sse,        Feature::Sse2,
    Feature::Sse3, Feature::Ssse3, Feature::Sse41,     Feature::Sse42,      Feature::Sse4a,
    Feature::Aes,  Feature::Fma,   Feature::F16c,      Feature::Avx,        Feature::Avx2,
    Feature::Vaes, Feature::ShaNi, Feature::Pclmulqdq, Feature::Vpclmulqdq, Feature::Mmxext};
/// Of these, those that need the host's kernel to keep YMM registers.
constexpr Feature kYmm[] = {Feature::Fma,  Feature::F16c, Feature::Avx,
                            Feature::Avx2, Feature::Vaes, Feature::Vpclmulqdq};

/// XGETBV; XCR0's bits for XMM and YMM.
bool host_keeps_ymm() {
  u32 eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr u32 kOsxsave = 1u << 27;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kOsxsave) == 0) return false;
  u32 low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low & 6) == 6;
}

/// In a virtual machine each CPUID is an exit of 10 us, so each leaf is read once.
FeatureSet features_told() {
  FeatureSet told;
  std::array<u32, 4> registers{};
  const FeatureRow* read = nullptr;
  for (const FeatureRow& row : feature_rows()) {
    if (read == nullptr || read->leaf != row.leaf || read->subleaf != row.subleaf) {
      read = &row;
      registers = {};
      __get_cpuid_count(row.leaf, row.subleaf, &registers[0], &registers[1], &registers[2],
                        &registers[3]);
    }
    told[static_cast<unsigned>(row.feature)] =
        (registers[static_cast<unsigned>(row.reg)] >> row.bit & 1) != 0;
  }
  return told;
}

}  // namespace

std::string host_vendor() {
  std::array<u32, 4> r{};
  __get_cpuid(0, &r[0], &r[1], &r[3], &r[2]);
  return {reinterpret_cast<const char*>(&r[1]), 12};
}

bool host_has(const FeatureRow& row) {
  static const FeatureSet told = features_told();
  return told[static_cast<unsigned>(row.feature)];
}

FeatureSet host_supported_features() {
  FeatureSet features;
  features.set();
  const bool ymm = host_keeps_ymm();
  for (const Feature feature : kNative) {
    const auto n = static_cast<unsigned>(feature);
    // Intel's processors have MMXEXT's instructions with SSE, without AMD's bit.
    const FeatureRow& row =
        feature_rows()[feature == Feature::Mmxext ? static_cast<unsigned>(Feature::Sse) : n];
    const bool needs_ymm = std::ranges::find(kYmm, feature) != std::end(kYmm);
    features[n] = host_has(row) && (ymm || !needs_ymm);
  }
  return features;
}

}  // namespace rhea::x86
