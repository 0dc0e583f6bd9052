// SPDX-License-Identifier: GPL-2.0-or-later
// Making and setting the CPUID leaves.
#include "accel/kvm/cpuid.h"

#include <cpuid.h>

#include <algorithm>
#include <set>

namespace rhea::kvm {
namespace {

using Leaves = std::vector<kvm_cpuid_entry2>;

constexpr u32 kKvmFeatures = 0x4000'0001;
constexpr u32 kTopologyLeaf = 0xb;
constexpr u32 kTopologyLeafV2 = 0x1f;
constexpr u32 kAmdVendor = 0x68747541;  // EBX of leaf 0: "Auth"

kvm_cpuid_entry2* find(Leaves& leaves, u32 function) {
  const auto it = std::ranges::find(leaves, function, &kvm_cpuid_entry2::function);
  return it == leaves.end() ? nullptr : &*it;
}

void set_bit(u32& word, unsigned bit, bool on) {
  word = (word & ~(u32{1} << bit)) | u32{on} << bit;
}

// SDM vol. 2, CPUID leaf 1.
void patch_features(kvm_cpuid_entry2& leaf, const CpuidPlace& place) {
  const u32 in_package = u32{1} << place.topology.package_bits();
  leaf.ebx = (leaf.ebx & 0xffff) | std::min<u32>(in_package, 255) << 16 | place.apic_id << 24;
  set_bit(leaf.edx, 28, in_package > 1);
  set_bit(leaf.ecx, 31, true);              // a hypervisor is present
  set_bit(leaf.ecx, 27, false);             // OSXSAVE mirrors CR4; KVM keeps it
  set_bit(leaf.ecx, 21, place.local_apic);  // x2APIC
  set_bit(leaf.ecx, 24, place.local_apic && place.tsc_deadline);
}

// What of KVM's own features is about the local APIC in the kernel: its page faults and unhalting
// by interrupts, ends of interrupts and IPIs without exits.
void patch_kvm_features(kvm_cpuid_entry2& leaf, const CpuidPlace& place) {
  if (place.local_apic) return;
  for (const unsigned bit : {4U, 6U, 7U, 10U, 11U, 14U}) set_bit(leaf.eax, bit, false);
}

// Leaf 4: who shares each cache (the last one a die's processors), and the cores of a package.
void patch_cache(kvm_cpuid_entry2& leaf, const x86::Topology& topology) {
  const u32 level = leaf.eax >> 5 & 7;
  if ((leaf.eax & 31) == 0) return;
  const u32 sharing = (u32{1} << (level <= 2 ? topology.thread_bits() : topology.die_bits())) - 1;
  const u32 cores = (u32{1} << (topology.package_bits() - topology.thread_bits())) - 1;
  leaf.eax =
      (leaf.eax & 0x3fff) | std::min<u32>(sharing, 0xfff) << 14 | std::min<u32>(cores, 0x3f) << 26;
}

void add_topology(Leaves& leaves, u32 function, const CpuidPlace& place) {
  const auto level = [&](u32 index, u32 shift, u32 count, u32 type) {
    kvm_cpuid_entry2 leaf{};
    leaf.function = function;
    leaf.index = index;
    leaf.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
    leaf.eax = shift;
    leaf.ebx = count;
    leaf.ecx = type << 8 | index;
    leaf.edx = place.apic_id;
    leaves.push_back(leaf);
  };
  const x86::Topology& t = place.topology;
  constexpr u32 kThread = 1, kCore = 2, kDie = 5;
  level(0, t.thread_bits(), t.threads, kThread);
  if (function == kTopologyLeafV2 && t.dies > 1) {
    level(1, t.die_bits(), t.threads * t.cores, kCore);
    level(2, t.package_bits(), t.in_package(), kDie);
    level(3, 0, 0, 0);
  } else {
    level(1, t.package_bits(), t.in_package(), kCore);
    level(2, 0, 0, 0);
  }
}

// KVM leaves the brand string empty.
void fill_brand(Leaves& leaves) {
  for (u32 function = 0x80000002; function <= 0x80000004; ++function) {
    kvm_cpuid_entry2* leaf = find(leaves, function);
    if (leaf != nullptr && (leaf->eax | leaf->ebx | leaf->ecx | leaf->edx) == 0)
      __get_cpuid(function, &leaf->eax, &leaf->ebx, &leaf->ecx, &leaf->edx);
  }
}

// AMD's APM vol. 3, E.4.
void patch_amd(Leaves& leaves, const CpuidPlace& place) {
  const kvm_cpuid_entry2* vendor = find(leaves, 0);
  const bool amd = vendor != nullptr && vendor->ebx == kAmdVendor;
  const u32 in_package = place.topology.in_package();
  if (kvm_cpuid_entry2* leaf = find(leaves, 0x80000001); leaf != nullptr && amd)
    set_bit(leaf->ecx, 1, in_package > 1);
  if (kvm_cpuid_entry2* leaf = find(leaves, 0x80000008); leaf != nullptr && amd)
    leaf->ecx = (in_package - 1) | place.topology.package_bits() << 12;
  if (kvm_cpuid_entry2* leaf = find(leaves, 0x8000001e)) {
    leaf->eax = place.apic_id;
    const u32 cores = u32{1} << x86::Topology::bits_for(place.topology.cores);
    leaf->ebx = (place.topology.threads - 1) << 8 |
                (place.apic_id >> place.topology.thread_bits() & (cores - 1));
    leaf->ecx =
        (place.topology.dies - 1) << 8 | (place.apic_id >> place.topology.die_bits() & 0xff);
  }
}

Leaves without(std::span<const kvm_cpuid_entry2> leaves, u32 function) {
  Leaves kept;
  std::ranges::copy_if(leaves, std::back_inserter(kept),
                       [function](const auto& l) { return l.function != function; });
  return kept;
}

}  // namespace

Leaves make_cpuid(Leaves leaves, const CpuidPlace& place) {
  kvm_cpuid_entry2* const basic = find(leaves, 0);
  // Dies can be told of there alone.
  if (basic != nullptr && basic->eax >= kTopologyLeaf && place.topology.dies > 1)
    basic->eax = std::max(basic->eax, kTopologyLeafV2);
  const u32 highest = basic != nullptr ? basic->eax : 0;
  std::erase_if(leaves, [](const auto& l) {
    return l.function == kTopologyLeaf || l.function == kTopologyLeafV2;
  });
  for (const u32 function : {kTopologyLeaf, kTopologyLeafV2})
    if (highest >= function) add_topology(leaves, function, place);
  for (kvm_cpuid_entry2& leaf : leaves) {
    if (leaf.function == 1) patch_features(leaf, place);
    if (leaf.function == kKvmFeatures) patch_kvm_features(leaf, place);
    if (leaf.function == 4) patch_cache(leaf, place.topology);
  }
  patch_amd(leaves, place);
  fill_brand(leaves);
  return leaves;
}

Result<> apply_cpuid(std::span<const kvm_cpuid_entry2> leaves,
                     const std::function<int(std::span<const kvm_cpuid_entry2>)>& set,
                     const std::function<void(std::string)>& warn) {
  const int result = set(leaves);
  if (result >= 0) return {};
  std::set<u32> functions;
  for (const auto& leaf : leaves) functions.insert(leaf.function);
  // From the top: newer and less needed leaves first. Nothing runs without leaves 0 and 1.
  for (auto it = functions.rbegin(); it != functions.rend() && *it > 1; ++it) {
    if (set(without(leaves, *it)) < 0) continue;
    warn(fmt::format("this host's KVM refuses CPUID leaf {:#x}: the guest goes without it", *it));
    return {};
  }
  return fail("KVM_SET_CPUID2: {}", errno_text(-result));
}

}  // namespace rhea::kvm
