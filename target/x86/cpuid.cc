// SPDX-License-Identifier: GPL-2.0-or-later
// CPUID (SDM vol. 2, CPUID; AMD APM vol. 3, appendix E).
#include "target/x86/cpuid.h"

#include "target/x86/hyperv.h"
#include "target/x86/registers.h"

#include <algorithm>
#include <cstring>

namespace rhea::x86 {
namespace {

constexpr u32 kHypervisorLast = kHypervisorFirst + 1;  ///< of our own
constexpr u32 kExtendedFirst = 0x8000'0000;

/// One cache as leaves 4 and 8000001Dh tell of it.
struct Cache {
  u32 type{}, level{}, ways{}, sets{};
  bool inclusive{}, whole_die{};
};
enum CacheType : u32 { kData = 1, kInstruction = 2, kUnified = 3 };
constexpr u32 kLine = 64;
constexpr std::array kCaches = {
    Cache{.type = kData, .level = 1, .ways = 8, .sets = 64},
    Cache{.type = kInstruction, .level = 1, .ways = 8, .sets = 64},
    Cache{.type = kUnified, .level = 2, .ways = 8, .sets = 1024},
    Cache{.type = kUnified,
          .level = 3,
          .ways = 16,
          .sets = 16384,
          .inclusive = true,
          .whole_die = true},
};

bool is_intel(const CpuModel& m) { return m.vendor == "GenuineIntel"; }
u32 logical_processors(const CpuModel& m) { return m.topology.in_package(); }
/// Dies can be told of in leaf 1Fh alone.
constexpr u32 kDieLeaf = 0x1f;
u32 highest_basic(const CpuModel& m) {
  return m.topology.dies > 1 && m.level >= 0xb ? std::max(m.level, kDieLeaf) : m.level;
}

u32& register_of(CpuidResult& r, CpuidRegister which) {
  switch (which) {
    case CpuidRegister::Eax: return r.eax;
    case CpuidRegister::Ebx: return r.ebx;
    case CpuidRegister::Ecx: return r.ecx;
    default: return r.edx;
  }
}

/// The bits of all features that are told of in this leaf.
CpuidResult feature_bits(const CpuModel& m, u32 leaf, u32 subleaf) {
  CpuidResult r;
  for (const FeatureRow& row : feature_rows())
    if (row.leaf == leaf && row.subleaf == subleaf && m.has(row.feature))
      register_of(r, row.reg) |= u32{1} << row.bit;
  return r;
}

u32 four(std::string_view text, std::size_t at) {
  u32 value = 0;
  if (at < text.size()) std::memcpy(&value, &text[at], std::min<std::size_t>(4, text.size() - at));
  return value;
}

CpuidResult vendor_leaf(const CpuModel& m, u32 highest) {
  return {
      .eax = highest, .ebx = four(m.vendor, 0), .ecx = four(m.vendor, 8), .edx = four(m.vendor, 4)};
}

CpuidResult identity(const CpuModel& m, const CpuidInputs& in) {
  CpuidResult r = feature_bits(m, 1, 0);
  const u32 logical = logical_processors(m);
  r.eax = m.signature();
  r.ebx = m.apic_id << 24 | (logical > 1 ? std::min(logical, 255u) << 16 : 0);
  if (m.has(Feature::Clflush)) r.ebx |= kLine / 8 << 8;
  if (logical > 1) r.edx |= u32{1} << 28;
  if ((in.cr4 & cr4::kOsxsave) != 0) r.ecx |= u32{1} << 27;
  if (!in.apic_enabled) r.edx &= ~(u32{1} << 9);
  return r;
}

CpuidResult cache_leaf(const CpuModel& m, u32 index) {
  if (index >= kCaches.size() || (kCaches[index].level == 3 && !m.l3_cache)) return {};
  const Cache& c = kCaches[index];
  const u32 sharing = u32{1} << (c.whole_die ? m.topology.die_bits() : m.topology.thread_bits());
  const u32 cores = u32{1} << (m.topology.package_bits() - m.topology.thread_bits());
  CpuidResult r;
  r.eax = c.type | c.level << 5 | 1u << 8 | (sharing - 1) << 14;
  if (is_intel(m)) r.eax |= (cores - 1) << 26;
  r.ebx = (kLine - 1) | (c.ways - 1) << 22;
  r.ecx = c.sets - 1;
  r.edx = c.inclusive ? 2 : 1;
  return r;
}

CpuidResult topology_leaf(const CpuModel& m, u32 level) {
  CpuidResult r{.ecx = level & 0xff, .edx = m.apic_id};
  if (level == 0) {
    r.eax = m.topology.thread_bits();
    r.ebx = m.topology.threads;
    r.ecx |= 1u << 8;
  } else if (level == 1) {
    r.eax = m.topology.package_bits();
    r.ebx = logical_processors(m);
    r.ecx |= 2u << 8;
  }
  return r;
}

// Threads, cores and dies: leaf Bh knows no dies.
CpuidResult die_leaf(const CpuModel& m, u32 level) {
  if (m.topology.dies <= 1) return {};
  CpuidResult r = topology_leaf(m, level);
  if (level == 1) {
    r.eax = m.topology.die_bits();
    r.ebx = m.topology.cores * m.topology.threads;
  } else if (level == 2) {
    r.eax = m.topology.package_bits();
    r.ebx = logical_processors(m);
    r.ecx |= 5u << 8;
  }
  return r;
}

// The upper halves of YMM, then PKRU.
constexpr u32 kYmmOffset = 576, kYmmBytes = 256, kPkruOffset = 832, kPkruBytes = 8;

u32 xsave_size(u64 components) {
  if ((components & 0x200) != 0) return kPkruOffset + kPkruBytes;
  return (components & 4) != 0 ? kYmmOffset + kYmmBytes : kYmmOffset;
}
u32 compacted_size(u64 components) {
  return kYmmOffset + ((components & 4) != 0 ? kYmmBytes : 0) +
         ((components & 0x200) != 0 ? kPkruBytes : 0);
}

CpuidResult xsave_leaf(const CpuModel& m, u32 subleaf, const CpuidInputs& in) {
  if (!m.has(Feature::Xsave)) return {};
  const u32 supported = 3 | (m.has(Feature::Avx) ? 4 : 0) | (m.has(Feature::Pku) ? 0x200 : 0);
  if (subleaf == 0)
    return {.eax = supported, .ebx = xsave_size(in.xcr0), .ecx = xsave_size(supported)};
  if (subleaf == 1) {
    CpuidResult r = feature_bits(m, 0xd, 1);
    if (m.has(Feature::Xsavec)) r.ebx = compacted_size(in.xcr0);
    return r;
  }
  if (subleaf == 2 && m.has(Feature::Avx)) return {.eax = kYmmBytes, .ebx = kYmmOffset};
  if (subleaf == 9 && m.has(Feature::Pku)) return {.eax = kPkruBytes, .ebx = kPkruOffset};
  return {};
}

CpuidResult extended_flags(const CpuModel& m, u32 subleaf, const CpuidInputs& in) {
  CpuidResult r = feature_bits(m, 7, subleaf);
  if (subleaf == 0 && (in.cr4 & cr4::kPke) != 0) r.ecx |= 1u << 4;  // OSPKE
  return r;
}

CpuidResult basic(const CpuModel& m, u32 leaf, u32 subleaf, const CpuidInputs& in) {
  const bool intel = is_intel(m);
  switch (leaf) {
    case 0: return vendor_leaf(m, highest_basic(m));
    case 1: return identity(m, in);
    // "Look at leaf 4."
    case 2: return intel ? CpuidResult{.eax = 0x00ff'ff01} : CpuidResult{};
    case 4: return intel ? cache_leaf(m, subleaf) : CpuidResult{};
    case 5:
      return m.has(Feature::Monitor) ? CpuidResult{.eax = kLine, .ebx = kLine, .ecx = 3}
                                     : CpuidResult{};
    case 6: return feature_bits(m, 6, 0);
    case 7: return extended_flags(m, subleaf, in);
    case 0xb: return m.topology_leaf ? topology_leaf(m, subleaf) : CpuidResult{};
    case 0xd: return xsave_leaf(m, subleaf, in);
    case kDieLeaf: return die_leaf(m, subleaf);
    default: return {};
  }
}

bool paravirtual_kvm(const CpuModel& m) {
  return m.kvm || m.has(Feature::KvmClock) || m.has(Feature::KvmPvEoi);
}

/// Interfaces of KVM that we have are looked for under KVM's name only; else QEMU's of its
/// software processor.
CpuidResult hypervisor(const CpuModel& m, u32 leaf) {
  if (m.hyperv.present()) {
    if (leaf < kBehindHyperv) return hyperv_leaf(m.hyperv, leaf - kHypervisorFirst);
    leaf -= kBehindHyperv - kHypervisorFirst;
  }
  if (leaf > kHypervisorLast) return {};
  if (leaf == kHypervisorLast) return feature_bits(m, leaf, 0);
  if (!m.tcg_name && !paravirtual_kvm(m)) return {};
  const std::string_view name =
      paravirtual_kvm(m) ? std::string_view("KVMKVMKVM\0\0\0", 12) : "TCGTCGTCGTCG";
  const u32 last = m.hyperv.present() ? kBehindHyperv + 1 : kHypervisorLast;
  return {.eax = last, .ebx = four(name, 0), .ecx = four(name, 4), .edx = four(name, 8)};
}

/// AMD's processors repeat leaf 1's EDX there.
CpuidResult extended_features(const CpuModel& m) {
  CpuidResult r = feature_bits(m, 0x8000'0001, 0);
  if (is_intel(m)) return r;
  r.eax = m.signature();
  r.edx |= feature_bits(m, 1, 0).edx & 0x0183'f3ff;
  if (logical_processors(m) > 1) r.ecx |= 2;
  return r;
}

CpuidResult brand(const CpuModel& m, u32 part) {
  const std::size_t at = std::size_t{16} * part;
  return {.eax = four(m.brand, at),
          .ebx = four(m.brand, at + 4),
          .ecx = four(m.brand, at + 8),
          .edx = four(m.brand, at + 12)};
}

CpuidResult address_sizes(const CpuModel& m) {
  CpuidResult r = feature_bits(m, 0x8000'0008, 0);
  r.eax = m.physical_bits | u32{m.linear_bits} << 8;
  if (!is_intel(m)) r.ecx = (logical_processors(m) - 1) | m.topology.package_bits() << 12;
  return r;
}

CpuidResult extended(const CpuModel& m, u32 leaf, u32 subleaf) {
  const bool intel = is_intel(m);
  switch (leaf) {
    case 0x8000'0000: return vendor_leaf(m, m.xlevel);
    case 0x8000'0001: return extended_features(m);
    case 0x8000'0002:
    case 0x8000'0003:
    case 0x8000'0004: return brand(m, leaf - 0x8000'0002);
    // TLBs; 64 KiB of two ways each for data and code.
    case 0x8000'0005:
      return intel ? CpuidResult{}
                   : CpuidResult{.eax = 0x01ff'01ff,
                                 .ebx = 0x01ff'01ff,
                                 .ecx = 0x4002'0140,
                                 .edx = 0x4002'0140};
    // 512 KiB of 16 ways in L2, 16 MiB of 16 ways in L3.
    case 0x8000'0006:
      return intel ? CpuidResult{.ecx = 0x0200'8040}
                   : CpuidResult{.ebx = 0x4200'4200,
                                 .ecx = 0x0200'8140,
                                 .edx = m.l3_cache ? 0x0080'8140U : 0U};
    case 0x8000'0008: return address_sizes(m);
    case 0x8000'001d: return intel ? CpuidResult{} : cache_leaf(m, subleaf);
    case 0x8000'001e:
      return intel ? CpuidResult{}
                   : CpuidResult{.eax = m.apic_id,
                                 .ebx = (m.apic_id >> m.topology.thread_bits() &
                                         ((1u << Topology::bits_for(m.topology.cores)) - 1)) |
                                        (m.topology.threads - 1) << 8,
                                 .ecx = (m.topology.dies - 1) << 8 |
                                        (m.apic_id >> m.topology.die_bits() & 0xff)};
    default: return feature_bits(m, leaf, subleaf);
  }
}

}  // namespace

u32 CpuModel::signature() const {
  const u32 base_family = std::min(family, 15u);
  return stepping | (model & 0xf) << 4 | base_family << 8 | (model >> 4) << 16 |
         (family - base_family) << 20;
}

CpuidResult cpuid(const CpuModel& model, u32 leaf, u32 subleaf, const CpuidInputs& inputs) {
  if (leaf >= kExtendedFirst && leaf <= model.xlevel) return extended(model, leaf, subleaf);
  if (leaf >= kHypervisorFirst && leaf < kBehindHyperv + 0x100 && model.has(Feature::Hypervisor))
    return hypervisor(model, leaf);
  const u32 highest = highest_basic(model);
  if (leaf <= highest) return basic(model, leaf, subleaf, inputs);
  // Beyond the last leaf Intel's processors repeat the last basic one, AMD's give zeros.
  return is_intel(model) ? basic(model, highest, subleaf, inputs) : CpuidResult{};
}

}  // namespace rhea::x86
