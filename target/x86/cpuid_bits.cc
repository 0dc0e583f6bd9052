// SPDX-License-Identifier: GPL-2.0-or-later
// The names of CPUID's bits (SDM vol. 2, CPUID; AMD APM vol. 3, appendix E).
#include "target/x86/cpuid_bits.h"

#include "rhea/util/error.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace rhea::x86 {
namespace {

using enum CpuidRegister;

/// What only a host's processor may have, or KVM itself.
constexpr CpuidBit kOthers[] = {
    {"pn", 1, 0, Edx, 18},
    {"ds", 1, 0, Edx, 21},
    {"acpi", 1, 0, Edx, 22},
    {"tm", 1, 0, Edx, 29},
    {"ia64", 1, 0, Edx, 30},
    {"pbe", 1, 0, Edx, 31},
    {"dtes64", 1, 0, Ecx, 2},
    {"ds-cpl", 1, 0, Ecx, 4},
    {"vmx", 1, 0, Ecx, 5},
    {"smx", 1, 0, Ecx, 6},
    {"est", 1, 0, Ecx, 7},
    {"tm2", 1, 0, Ecx, 8},
    {"cid", 1, 0, Ecx, 10},
    {"xtpr", 1, 0, Ecx, 14},
    {"dca", 1, 0, Ecx, 18},
    {"sgx", 7, 0, Ebx, 2},
    {"hle", 7, 0, Ebx, 4},
    {"rtm", 7, 0, Ebx, 11},
    {"mpx", 7, 0, Ebx, 14},
    {"avx512f", 7, 0, Ebx, 16},
    {"avx512dq", 7, 0, Ebx, 17},
    {"avx512ifma", 7, 0, Ebx, 21},
    {"intel-pt", 7, 0, Ebx, 25},
    {"avx512pf", 7, 0, Ebx, 26},
    {"avx512er", 7, 0, Ebx, 27},
    {"avx512cd", 7, 0, Ebx, 28},
    {"avx512bw", 7, 0, Ebx, 30},
    {"avx512vl", 7, 0, Ebx, 31},
    {"avx512vbmi", 7, 0, Ecx, 1},
    {"waitpkg", 7, 0, Ecx, 5},
    {"avx512vbmi2", 7, 0, Ecx, 6},
    {"gfni", 7, 0, Ecx, 8},
    {"avx512vnni", 7, 0, Ecx, 11},
    {"avx512bitalg", 7, 0, Ecx, 12},
    {"avx512-vpopcntdq", 7, 0, Ecx, 14},
    {"bus-lock-detect", 7, 0, Ecx, 24},
    {"cldemote", 7, 0, Ecx, 25},
    {"movdiri", 7, 0, Ecx, 27},
    {"movdir64b", 7, 0, Ecx, 28},
    {"sgxlc", 7, 0, Ecx, 30},
    {"avx512-4vnniw", 7, 0, Edx, 2},
    {"avx512-4fmaps", 7, 0, Edx, 3},
    {"avx512-vp2intersect", 7, 0, Edx, 8},
    {"serialize", 7, 0, Edx, 14},
    {"tsx-ldtrk", 7, 0, Edx, 16},
    {"arch-lbr", 7, 0, Edx, 19},
    {"amx-bf16", 7, 0, Edx, 22},
    {"avx512-fp16", 7, 0, Edx, 23},
    {"amx-tile", 7, 0, Edx, 24},
    {"amx-int8", 7, 0, Edx, 25},
    {"stibp", 7, 0, Edx, 27},
    {"core-capability", 7, 0, Edx, 30},
    {"avx-vnni", 7, 1, Eax, 4},
    {"avx512-bf16", 7, 1, Eax, 5},
    {"xsaves", 13, 1, Eax, 3},
    {"xfd", 13, 1, Eax, 4},
    {"extapic", 0x80000001, 0, Ecx, 3},
    {"osvw", 0x80000001, 0, Ecx, 9},
    {"ibs", 0x80000001, 0, Ecx, 10},
    {"xop", 0x80000001, 0, Ecx, 11},
    {"skinit", 0x80000001, 0, Ecx, 12},
    {"wdt", 0x80000001, 0, Ecx, 13},
    {"lwp", 0x80000001, 0, Ecx, 15},
    {"fma4", 0x80000001, 0, Ecx, 16},
    {"tce", 0x80000001, 0, Ecx, 17},
    {"nodeid-msr", 0x80000001, 0, Ecx, 19},
    {"tbm", 0x80000001, 0, Ecx, 21},
    {"topoext", 0x80000001, 0, Ecx, 22},
    {"perfctr-core", 0x80000001, 0, Ecx, 23},
    {"perfctr-nb", 0x80000001, 0, Ecx, 24},
    {"3dnowext", 0x80000001, 0, Edx, 30},
    {"3dnow", 0x80000001, 0, Edx, 31},
    {"ibrs", 0x80000008, 0, Ebx, 14},
    {"amd-stibp", 0x80000008, 0, Ebx, 15},
    {"amd-ssbd", 0x80000008, 0, Ebx, 24},
    {"virt-ssbd", 0x80000008, 0, Ebx, 25},
    {"amd-no-ssb", 0x80000008, 0, Ebx, 26},
    {"npt", 0x8000000a, 0, Edx, 0},
    {"lbrv", 0x8000000a, 0, Edx, 1},
    {"svm-lock", 0x8000000a, 0, Edx, 2},
    {"nrip-save", 0x8000000a, 0, Edx, 3},
    {"tsc-scale", 0x8000000a, 0, Edx, 4},
    {"vmcb-clean", 0x8000000a, 0, Edx, 5},
    {"flushbyasid", 0x8000000a, 0, Edx, 6},
    {"decodeassists", 0x8000000a, 0, Edx, 7},
    {"pause-filter", 0x8000000a, 0, Edx, 10},
    {"pfthreshold", 0x8000000a, 0, Edx, 12},
    {"avic", 0x8000000a, 0, Edx, 13},
    {"v-vmsave-vmload", 0x8000000a, 0, Edx, 15},
    {"vgif", 0x8000000a, 0, Edx, 16},
    {"svme-addr-chk", 0x8000000a, 0, Edx, 28},
    {"kvm-nopiodelay", 0x40000001, 0, Eax, 1},
    {"kvm-mmu", 0x40000001, 0, Eax, 2},
    {"kvm-asyncpf", 0x40000001, 0, Eax, 4},
    {"kvm-steal-time", 0x40000001, 0, Eax, 5},
    {"kvm-pv-unhalt", 0x40000001, 0, Eax, 7},
    {"kvm-pv-tlb-flush", 0x40000001, 0, Eax, 9},
    {"kvm-pv-ipi", 0x40000001, 0, Eax, 11},
    {"kvm-poll-control", 0x40000001, 0, Eax, 12},
    {"kvm-pv-sched-yield", 0x40000001, 0, Eax, 13},
    {"kvm-asyncpf-int", 0x40000001, 0, Eax, 14},
    {"kvm-msi-ext-dest-id", 0x40000001, 0, Eax, 15},
    {"rdctl-no", kArchCapabilitiesLeaf, 0, Eax, 0},
    {"ibrs-all", kArchCapabilitiesLeaf, 0, Eax, 1},
    {"rsba", kArchCapabilitiesLeaf, 0, Eax, 2},
    {"skip-l1dfl-vmentry", kArchCapabilitiesLeaf, 0, Eax, 3},
    {"ssb-no", kArchCapabilitiesLeaf, 0, Eax, 4},
    {"mds-no", kArchCapabilitiesLeaf, 0, Eax, 5},
    {"pschange-mc-no", kArchCapabilitiesLeaf, 0, Eax, 6},
    {"tsx-ctrl", kArchCapabilitiesLeaf, 0, Eax, 7},
    {"taa-no", kArchCapabilitiesLeaf, 0, Eax, 8},
};

constexpr unsigned kCount = kFeatures + std::size(kOthers);
static_assert(kCount <= kMaxCpuidBits);

struct Alias {
  std::string_view spelling, name;
};
constexpr Alias kAliases[] = {
    {"pni", "sse3"},
    {"sse4-1", "sse4.1"},
    {"sse4-2", "sse4.2"},
    {"i64", "lm"},
    {"xd", "nx"},
    {"ffxsr", "fxsr-opt"},
    {"pclmuldq", "pclmulqdq"},
    {"sha", "sha-ni"},
    {"tsc-adjust", "tsc_adjust"},
};

std::array<CpuidBit, kCount> all_bits() {
  std::array<CpuidBit, kCount> all;
  std::ranges::transform(feature_rows(), all.begin(), [](const FeatureRow& row) {
    return CpuidBit{row.name, row.leaf, row.subleaf, row.reg, row.bit};
  });
  std::ranges::copy(kOthers, all.begin() + kFeatures);
  return all;
}

}  // namespace

std::span<const CpuidBit> cpuid_bits() {
  static const std::array<CpuidBit, kCount> all = all_bits();
  return all;
}

std::optional<unsigned> find_cpuid_bit(std::string_view given) {
  std::string name(given);
  std::ranges::replace(name, '_', '-');
  const auto alias = std::ranges::find(kAliases, name, &Alias::spelling);
  const std::string_view wanted = alias == std::end(kAliases) ? name : alias->name;
  const auto bits = cpuid_bits();
  const auto it = std::ranges::find(bits, wanted, &CpuidBit::name);
  if (it == bits.end()) return std::nullopt;
  return static_cast<unsigned>(it - bits.begin());
}

std::string_view tool_name(const CpuidBit& bit) {
  constexpr Alias kToolNames[] = {{"sse3", "pni"}, {"tsc_adjust", "tsc-adjust"}};
  const auto* it = std::ranges::find(kToolNames, bit.name, &Alias::spelling);
  return it == std::end(kToolNames) ? bit.name : it->name;
}

CpuidBitSet named_bits(std::string_view names) {
  CpuidBitSet bits;
  while (!names.empty()) {
    const auto end = std::min(names.find(' '), names.size());
    const auto bit = find_cpuid_bit(names.substr(0, end));
    RHEA_ASSERT(bit.has_value());
    bits.set(*bit);
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return bits;
}

std::string describe_bit(const CpuidBit& bit) {
  constexpr std::string_view registers[] = {"EAX", "EBX", "ECX", "EDX"};
  if (bit.leaf == kArchCapabilitiesLeaf)
    return fmt::format("MSR(10AH).{} [bit {}]", bit.name, bit.bit);
  return fmt::format("CPUID[eax={:X}h,ecx={:X}h].{}.{} [bit {}]", bit.leaf, bit.subleaf,
                     registers[static_cast<unsigned>(bit.reg)], bit.name, bit.bit);
}

}  // namespace rhea::x86
