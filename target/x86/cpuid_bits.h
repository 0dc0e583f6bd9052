// SPDX-License-Identifier: GPL-2.0-or-later
// Every CPUID bit that -cpu can name: the features that Rhea itself knows, and those that only a
// host's processor may have, which KVM can pass on.
#pragma once

#include "target/x86/features.h"

#include <bitset>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rhea::x86 {

struct CpuidBit {
  std::string_view name;
  u32 leaf{}, subleaf{};
  CpuidRegister reg{};
  u8 bit{};
};

/// Stands for IA32_ARCH_CAPABILITIES: its bits have names beside CPUID's.
inline constexpr u32 kArchCapabilitiesLeaf = 0xffff'010a;

inline constexpr unsigned kMaxCpuidBits = 256;
using CpuidBitSet = std::bitset<kMaxCpuidBits>;

/// The first kFeatures in the order of Feature.
std::span<const CpuidBit> cpuid_bits();
/// By any of QEMU's spellings: '_' is '-', and some have a second name (pni, i64, xd).
std::optional<unsigned> find_cpuid_bit(std::string_view name);
/// As QEMU's tools know it: "pni" for sse3.
std::string_view tool_name(const CpuidBit& bit);
/// Names with blanks between them; each must exist.
CpuidBitSet named_bits(std::string_view names);
/// "CPUID[eax=7h,ecx=0h].EBX.smep [bit 7]".
std::string describe_bit(const CpuidBit& bit);

}  // namespace rhea::x86
