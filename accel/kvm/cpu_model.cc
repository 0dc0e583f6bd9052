// SPDX-License-Identifier: GPL-2.0-or-later
// Cutting KVM's CPUID leaves down to a model.
#include "accel/kvm/cpu_model.h"

#include "target/x86/hyperv.h"

#include <algorithm>
#include <cstring>

namespace rhea::kvm {
namespace {

using Leaves = std::vector<kvm_cpuid_entry2>;
using x86::CpuidBit;
using x86::CpuidBitSet;
using x86::CpuidRegister;
using x86::CpuRequest;
using x86::Feature;

constexpr u32 kExtendedFirst = 0x8000'0000;
using x86::kHypervisorFirst;
constexpr u32 kHypervisorLast = 0x4fff'ffff;
constexpr u32 kXsaveLeaf = 0xd;
constexpr u32 kXsaveLegacy = 576;  // bytes of the legacy region and the header

constexpr unsigned index(Feature feature) { return static_cast<unsigned>(feature); }

kvm_cpuid_entry2* find(Leaves& leaves, u32 function, u32 subleaf = 0) {
  const auto it = std::ranges::find_if(leaves, [&](const kvm_cpuid_entry2& l) {
    return l.function == function && l.index == subleaf;
  });
  return it == leaves.end() ? nullptr : &*it;
}

u32& register_of(kvm_cpuid_entry2& leaf, CpuidRegister which) {
  switch (which) {
    case CpuidRegister::Eax: return leaf.eax;
    case CpuidRegister::Ebx: return leaf.ebx;
    case CpuidRegister::Ecx: return leaf.ecx;
    default: return leaf.edx;
  }
}

/// KVM's own leaf goes by KVM's rules whatever the model.
bool of_kvm(const CpuidBit& bit) { return bit.leaf == kHypervisorFirst + 1; }

/// The named bits that the leaves have. OSXSAVE has no name: it goes as CR4 goes.
CpuidBitSet supported_bits(Leaves& leaves) {
  CpuidBitSet bits;
  const auto rows = x86::cpuid_bits();
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (kvm_cpuid_entry2* leaf = find(leaves, rows[i].leaf, rows[i].subleaf))
      bits[i] = (register_of(*leaf, rows[i].reg) >> rows[i].bit & 1) != 0;
  return bits;
}

/// Words of features are the model's alone: what has no name is not there.
void clear_words(Leaves& leaves) {
  for (const CpuidBit& bit : x86::cpuid_bits())
    if (!of_kvm(bit))
      if (kvm_cpuid_entry2* leaf = find(leaves, bit.leaf, bit.subleaf))
        register_of(*leaf, bit.reg) = 0;
}

void write_bits(Leaves& leaves, const CpuidBitSet& bits) {
  const auto rows = x86::cpuid_bits();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    kvm_cpuid_entry2* leaf = find(leaves, rows[i].leaf, rows[i].subleaf);
    if (leaf == nullptr) continue;
    u32& word = register_of(*leaf, rows[i].reg);
    const u32 mask = u32{1} << rows[i].bit;
    word = bits[i] ? word | mask : word & ~mask;
  }
  // The clock has an older interface beside, under the same name.
  if (kvm_cpuid_entry2* own = find(leaves, kHypervisorFirst + 1);
      own != nullptr && !bits[index(Feature::KvmClock)])
    own->eax &= ~u32{1};
}

/// The state components that the features need (SDM vol. 1, 13.1), and the area's size.
void trim_xsave(Leaves& leaves, const CpuidBitSet& bits) {
  const auto has = [&](std::string_view name) { return bits[*x86::find_cpuid_bit(name)]; };
  kvm_cpuid_entry2* const main = find(leaves, kXsaveLeaf);
  if (main == nullptr) return;
  u32 wanted = 3;
  if (has("avx")) wanted |= 4;
  if (has("mpx")) wanted |= 0x18;
  if (has("avx512f")) wanted |= 0xe0;
  if (has("pku")) wanted |= 0x200;
  if (has("amx-tile")) wanted |= 0x6'0000;
  main->eax = has("xsave") ? main->eax & wanted : 0;
  const u32 kept = main->eax;
  std::erase_if(leaves, [kept](const kvm_cpuid_entry2& l) {
    return l.function == kXsaveLeaf && l.index >= 2 &&
           (l.index >= 32 || (kept >> l.index & 1) == 0);
  });
  u32 size = kXsaveLegacy;
  for (const kvm_cpuid_entry2& l : leaves)
    if (l.function == kXsaveLeaf && l.index >= 2) size = std::max(size, l.eax + l.ebx);
  if (kvm_cpuid_entry2* leaf = find(leaves, kXsaveLeaf)) leaf->ebx = leaf->ecx = size;
}

void set_vendor(Leaves& leaves, std::string_view vendor) {
  u32 words[3];
  std::memcpy(words, vendor.data(), sizeof words);
  for (const u32 function : {u32{0}, kExtendedFirst})
    if (kvm_cpuid_entry2* leaf = find(leaves, function)) {
      leaf->ebx = words[0];
      leaf->edx = words[1];
      leaf->ecx = words[2];
    }
}

void set_brand(Leaves& leaves, const std::string& brand) {
  std::string text = brand;
  text.resize(48);
  for (u32 part = 0; part < 3; ++part) {
    const u32 function = kExtendedFirst + 2 + part;
    kvm_cpuid_entry2* const leaf = find(leaves, function);
    if (leaf == nullptr) return;
    for (u32* word : {&leaf->eax, &leaf->ebx, &leaf->ecx, &leaf->edx})
      std::memcpy(word, text.data() + std::size_t{16} * part + 4 * (word - &leaf->eax),
                  sizeof *word);
  }
}

/// Leaf 1's EAX in the three parts that -cpu names (SDM vol. 2, figure 3-6).
void set_signature(Leaves& leaves, const CpuRequest& request) {
  kvm_cpuid_entry2* const leaf = find(leaves, 1);
  if (leaf == nullptr) return;
  u32 family = leaf->eax >> 8 & 0xf;
  if (family == 0xf) family += leaf->eax >> 20 & 0xff;
  x86::CpuModel made;
  made.family = request.family.value_or(family);
  made.model = request.model.value_or((leaf->eax >> 4 & 0xf) | (leaf->eax >> 12 & 0xf0));
  made.stepping = request.stepping.value_or(leaf->eax & 0xf);
  leaf->eax = made.signature();
  if (kvm_cpuid_entry2* extended = find(leaves, kExtendedFirst + 1);
      extended != nullptr && extended->eax != 0)
    extended->eax = made.signature();
}

/// Leaves beyond the model's last are not there.
void set_levels(Leaves& leaves, const CpuRequest& request) {
  const auto limit = [&](u32 first, u32 last, u32 highest) {
    if (kvm_cpuid_entry2* leaf = find(leaves, first)) leaf->eax = highest;
    std::erase_if(leaves, [&](const kvm_cpuid_entry2& l) {
      return l.function > std::max(highest, first) && l.function <= last;
    });
  };
  if (request.level) limit(0, kHypervisorFirst - 1, *request.level);
  if (request.xlevel) limit(kExtendedFirst, 0xffff'ffff, *request.xlevel);
}

/// A feature that was asked for by name brings its leaf along.
CpuRequest with_raised_levels(CpuRequest request, const CpuidBitSet& bits) {
  const auto rows = x86::cpuid_bits();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!request.added[i] || !bits[i] || rows[i].leaf == x86::kArchCapabilitiesLeaf) continue;
    const u32 leaf = rows[i].leaf;
    if (leaf >= kExtendedFirst && request.xlevel)
      request.xlevel = std::max(*request.xlevel, leaf);
    else if (leaf < kHypervisorFirst && request.level)
      request.level = std::max(*request.level, leaf);
  }
  return request;
}

void set_names(Leaves& leaves, const CpuRequest& request) {
  if (request.vendor_given) set_vendor(leaves, request.vendor);
  set_signature(leaves, request);
  if (!request.brand.empty()) set_brand(leaves, request.brand);
  if (kvm_cpuid_entry2* sizes = find(leaves, kExtendedFirst + 8);
      sizes != nullptr && request.physical_bits)
    sizes->eax = (sizes->eax & ~u32{0xff}) | *request.physical_bits;
}

/// Guests look for KVM's own interface behind Microsoft's.
void add_hyperv(Leaves& leaves, const x86::Hyperv& hyperv) {
  if (!hyperv.present()) return;
  for (kvm_cpuid_entry2& leaf : leaves) {
    if (leaf.function < kHypervisorFirst || leaf.function > kHypervisorLast) continue;
    if (leaf.function == kHypervisorFirst && leaf.eax != 0)
      leaf.eax += x86::kBehindHyperv - kHypervisorFirst;
    leaf.function += x86::kBehindHyperv - kHypervisorFirst;
  }
  for (u32 offset = 0; offset < x86::kHypervLeaves; ++offset) {
    const x86::CpuidResult words = x86::hyperv_leaf(hyperv, offset);
    kvm_cpuid_entry2 leaf{};
    leaf.function = kHypervisorFirst + offset;
    leaf.eax = words.eax;
    leaf.ebx = words.ebx;
    leaf.ecx = words.ecx;
    leaf.edx = words.edx;
    leaves.push_back(leaf);
  }
}

std::string text_of(std::initializer_list<u32> words) {
  std::string text;
  for (const u32 word : words)
    for (unsigned i = 0; i < 4; ++i)
      if (const char c = static_cast<char>(word >> 8 * i); c != 0) text += c;
  return text;
}

/// What the leaves say.
x86::ModelFit describe(Leaves& leaves) {
  x86::ModelFit fit{.features = supported_bits(leaves)};
  if (const kvm_cpuid_entry2* first = find(leaves, 0)) {
    fit.level = first->eax;
    fit.vendor = text_of({first->ebx, first->edx, first->ecx});
  }
  if (const kvm_cpuid_entry2* leaf = find(leaves, 1)) {
    fit.family = leaf->eax >> 8 & 0xf;
    if (fit.family == 0xf) fit.family += leaf->eax >> 20 & 0xff;
    fit.model = (leaf->eax >> 4 & 0xf) | (leaf->eax >> 12 & 0xf0);
    fit.stepping = leaf->eax & 0xf;
  }
  if (const kvm_cpuid_entry2* leaf = find(leaves, kExtendedFirst)) fit.xlevel = leaf->eax;
  for (u32 function = kExtendedFirst + 2; function <= kExtendedFirst + 4; ++function)
    if (const kvm_cpuid_entry2* leaf = find(leaves, function))
      fit.brand += text_of({leaf->eax, leaf->ebx, leaf->ecx, leaf->edx});
  return fit;
}

}  // namespace

ModelLeaves apply_model(Leaves leaves, const CpuRequest& request) {
  const CpuidBitSet supported = supported_bits(leaves);
  const bool named = !request.whole();
  CpuidBitSet bits = named ? request.features : supported;
  if (request.migratable && !named) bits.reset(index(Feature::Invtsc));
  if (named) {
    clear_words(leaves);
    const auto rows = x86::cpuid_bits();
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (of_kvm(rows[i])) bits[i] = supported[i];
    // What the topology, the local APIC and the accelerator say.
    for (const Feature of_place :
         {Feature::Hypervisor, Feature::X2apic, Feature::Htt, Feature::CmpLegacy})
      bits[index(of_place)] = supported[index(of_place)];
  }
  bits = (bits | request.added) & ~request.removed;
  CpuidBitSet absent = bits & ~supported;
  const auto rows = x86::cpuid_bits();
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].leaf == x86::kArchCapabilitiesLeaf) absent.reset(i);
  bits &= supported;
  write_bits(leaves, bits);
  trim_xsave(leaves, bits);
  set_levels(leaves, with_raised_levels(request, bits));
  set_names(leaves, request);
  if (!request.kvm)
    std::erase_if(leaves, [](const kvm_cpuid_entry2& l) {
      return l.function >= kHypervisorFirst && l.function <= kHypervisorLast;
    });
  x86::ModelFit fit = describe(leaves);
  fit.absent = absent;
  add_hyperv(leaves, request.hyperv);
  return {.leaves = std::move(leaves), .fit = std::move(fit)};
}

x86::CpuModel software_model(const Leaves& leaves) {
  Leaves copy = leaves;
  x86::CpuModel model;
  model.name = "host";
  const CpuidBitSet bits = supported_bits(copy);
  for (unsigned i = 0; i < x86::kFeatures; ++i) model.features[i] = bits[i];
  if (const kvm_cpuid_entry2* first = find(copy, 0)) {
    model.level = first->eax;
    for (char* at = model.vendor.data(); const u32 word : {first->ebx, first->edx, first->ecx}) {
      std::memcpy(at, &word, sizeof word);
      at += sizeof word;
    }
  }
  if (const kvm_cpuid_entry2* sizes = find(copy, kExtendedFirst + 8)) {
    model.physical_bits = static_cast<u8>(sizes->eax);
    model.linear_bits = static_cast<u8>(sizes->eax >> 8);
  }
  return model;
}

}  // namespace rhea::kvm
