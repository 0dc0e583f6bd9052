// SPDX-License-Identifier: GPL-2.0-or-later
// What -cpu comes to on the software processor.
#include "target/x86/models.h"

#include "rhea/util/log.h"
#include "softmmu/guest_random.h"
#include "target/x86/host_features.h"
#include "target/x86/hyperv.h"

#include <cpuid.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace rhea::x86 {
namespace {

/// Not there: they need what the software processor has not. MWAIT would wake at once.
constexpr Feature kMissing[] = {Feature::Monitor,       Feature::Svm,      Feature::Pdcm,
                                Feature::Misalignsse,   Feature::KvmClock, Feature::KvmPvEoi,
                                Feature::KvmclockStable};
/// There when asked for only: QEMU's software processor leaves VME out, a fifth level of page
/// tables and the registers against attacks cost time, and the topology says the last two.
constexpr Feature kOnDemand[] = {Feature::Vme,  Feature::La57, Feature::Ssbd,     Feature::MdClear,
                                 Feature::Ibpb, Feature::Htt,  Feature::CmpLegacy};
/// On every model whose leaves can tell of it, unless it is turned off. The attacks that
/// IA32_ARCH_CAPABILITIES speaks of do not exist on an interpreter, so guests may save themselves
/// the effort.
constexpr Feature kAlways[] = {Feature::Hypervisor, Feature::X2apic, Feature::Arat,
                               Feature::ArchCapabilities, Feature::SpecCtrl};

// IA32_ARCH_CAPABILITIES (SDM vol. 4, table 2-2): RDCL_NO, IBRS_ALL, SKIP_L1DFL_VMENTRY, SSB_NO,
// MDS_NO, IF_PSCHANGE_MC_NO, TAA_NO, SBDR_SSDP_NO, FBSDP_NO, PSDP_NO, BHI_NO, PBRSB_NO, GDS_NO,
// RFDS_NO, ITS_NO.
constexpr u64 kNotVulnerable = [] {
  u64 value = 0;
  for (const unsigned bit : {0, 1, 3, 4, 5, 6, 8, 13, 14, 15, 20, 24, 26, 27, 62})
    value |= u64{1} << bit;
  return value;
}();

constexpr std::string_view kSoftware = "the software CPU";

constexpr unsigned index(Feature feature) { return static_cast<unsigned>(feature); }

/// The first kFeatures of cpuid_bits() are the features.
FeatureSet features_of(const CpuidBitSet& bits) {
  FeatureSet features;
  for (unsigned i = 0; i < kFeatures; ++i) features[i] = bits[i];
  return features;
}

/// Bits of IA32_ARCH_CAPABILITIES among the named ones.
u64 arch_capabilities_of(const CpuidBitSet& bits) {
  u64 value = 0;
  const auto rows = cpuid_bits();
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].leaf == kArchCapabilitiesLeaf && bits[i]) value |= u64{1} << rows[i].bit;
  return value;
}

/// Whether the model's highest leaf reaches the feature's.
bool reaches(const CpuModel& model, Feature feature) {
  const u32 leaf = feature_rows()[index(feature)].leaf;
  return leaf >= 0x8000'0000 ? leaf <= model.xlevel : leaf <= model.level;
}

std::string text_of(std::initializer_list<u32> registers) {
  std::string text;
  for (const u32 value : registers)
    for (unsigned i = 0; i < 4; ++i)
      if (const char c = static_cast<char>(value >> 8 * i); c != 0) text += c;
  return text;
}

/// The host's names and signature (SDM vol. 2, CPUID leaves 0, 1 and 80000002h).
void take_host_names(CpuModel& model) {
  model.vendor = host_vendor();
  u32 a = 0, b = 0, c = 0, d = 0;
  __get_cpuid(1, &a, &b, &c, &d);
  const u32 family = a >> 8 & 0xf;
  model.family = family == 0xf ? family + (a >> 20 & 0xff) : family;
  model.model = (a >> 4 & 0xf) | (a >> 12 & 0xf0);
  model.stepping = a & 0xf;
  model.brand.clear();
  for (u32 leaf = 0x8000'0002; leaf <= 0x8000'0004; ++leaf)
    if (__get_cpuid(leaf, &a, &b, &c, &d) != 0) model.brand += text_of({a, b, c, d});
}

void take_names(const CpuRequest& request, CpuModel& model) {
  model.name = request.name;
  if (request.kind == ModelKind::Host) take_host_names(model);
  if (request.kind == ModelKind::Max) {
    model.brand = "QEMU TCG CPU version 2.5+";
    model.family = 6;
    model.model = 6;
    model.stepping = 3;
  }
  if (request.kind == ModelKind::Base) model.family = model.model = model.stepping = 0;
  if (!request.vendor.empty()) model.vendor = request.vendor;
  if (!request.brand.empty()) model.brand = request.brand;
  model.family = request.family.value_or(model.family);
  model.model = request.model.value_or(model.model);
  model.stepping = request.stepping.value_or(model.stepping);
  model.level = request.level.value_or(model.level);
  model.xlevel = request.xlevel.value_or(model.xlevel);
}

FeatureSet starting_features(const CpuRequest& request, const FeatureSet& supported) {
  if (request.kind == ModelKind::Named) return features_of(request.features) & supported;
  FeatureSet features;
  if (request.kind == ModelKind::Base) return features;
  features = supported;
  if (request.migratable) features.reset(index(Feature::Invtsc));
  if (request.kind == ModelKind::Host)
    for (const FeatureRow& row : feature_rows())
      if (!host_has(row)) features.reset(index(row.feature));
  return features;
}

/// A feature that was asked for brings its leaf along.
void raise_levels(const FeatureSet& added, CpuModel& model) {
  for (const FeatureRow& row : feature_rows()) {
    if (!added[index(row.feature)] || !model.has(row.feature)) continue;
    if (row.leaf >= 0x8000'0000)
      model.xlevel = std::max(model.xlevel, row.leaf);
    else if (row.leaf < 0x4000'0000)
      model.level = std::max(model.level, row.leaf);
  }
}

/// Sets that mean nothing without another.
void drop_dependent(CpuModel& model) {
  constexpr Feature of_xsave[] = {Feature::Avx,     Feature::Avx2,     Feature::Fma,
                                  Feature::F16c,    Feature::Xsaveopt, Feature::Xsavec,
                                  Feature::Xgetbv1, Feature::Vaes,     Feature::Vpclmulqdq};
  constexpr Feature of_avx[] = {Feature::Avx2, Feature::Fma, Feature::F16c, Feature::Vaes,
                                Feature::Vpclmulqdq};
  if (!model.has(Feature::Xsave))
    for (const Feature feature : of_xsave) model.set(feature, false);
  if (!model.has(Feature::Avx))
    for (const Feature feature : of_avx) model.set(feature, false);
}

void set_address_sizes(const CpuRequest& request, CpuModel& model) {
  const u8 narrow = model.has(Feature::Pse36) || model.has(Feature::Pae) ? 36 : 32;
  model.physical_bits = request.physical_bits.value_or(model.has(Feature::Lm) ? 40 : narrow);
  model.linear_bits = model.has(Feature::La57) ? 57 : 48;
}

/// Every named bit that the model has.
CpuidBitSet bits_of(const CpuModel& model) {
  CpuidBitSet bits;
  const auto rows = cpuid_bits();
  for (std::size_t i = 0; i < rows.size(); ++i)
    bits[i] = i < kFeatures ? model.features[i]
                            : rows[i].leaf == kArchCapabilitiesLeaf &&
                                  (model.arch_capabilities >> rows[i].bit & 1) != 0;
  return bits;
}

/// What was wanted and is not there; but not the model's own that are left out on purpose.
CpuidBitSet absent_bits(const CpuRequest& request, const CpuModel& model) {
  CpuidBitSet absent = request.wanted() & ~bits_of(model);
  for (const Feature feature : kOnDemand)
    if (!request.added[index(feature)]) absent.reset(index(feature));
  return absent;
}

}  // namespace

FeatureSet software_features() {
  FeatureSet features = host_supported_features();
  for (const Feature feature : kMissing) features.reset(index(feature));
  return features;
}

Result<> CpuRequest::tell_absent(const CpuidBitSet& absent, std::string_view accelerator) const {
  const auto rows = cpuid_bits();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!absent[i] || removed[i]) continue;
    const std::string text =
        fmt::format("{} doesn't support requested feature: {}", accelerator, describe_bit(rows[i]));
    if (enforce) return fail("-cpu {}: {}", name, text);
    if (check && added[i]) report_warning(text);
  }
  for (const std::string& other : others) {
    const std::string text =
        fmt::format("{} doesn't support requested feature: {}", accelerator, other);
    if (enforce) return fail("-cpu {}: {}", name, text);
    if (check) report_warning(text);
  }
  return {};
}

Result<CpuModel> make_model(const CpuRequest& request) {
  const FeatureSet supported = software_features();
  const FeatureSet added = features_of(request.added), removed = features_of(request.removed);
  CpuModel model;
  take_names(request, model);
  model.features = starting_features(request, supported);
  for (const Feature feature : kOnDemand) model.features.reset(index(feature));
  if (request.kind != ModelKind::Base)
    for (const Feature feature : kAlways)
      if (reaches(model, feature)) model.set(feature);
  model.features |= added & supported;
  model.features &= ~removed;
  drop_dependent(model);
  raise_levels(added, model);
  if (model.has(Feature::ArchCapabilities))
    model.arch_capabilities = (kNotVulnerable | arch_capabilities_of(request.added)) &
                              ~arch_capabilities_of(request.removed);
  set_address_sizes(request, model);
  model.tsc_khz = request.tsc_khz.value_or(model.tsc_khz);
  model.hyperv = request.hyperv;
  model.tcg_name = request.tcg_name;
  model.topology_leaf = request.topology_leaf;
  model.l3_cache = request.l3_cache;
  model.kvm = request.kvm && request.kvm_given;
  if (model.hyperv.has(HypervFeature::Runtime)) {
    const std::string text = fmt::format("{} doesn't support requested feature: {}", kSoftware,
                                         hyperv_name(HypervFeature::Runtime));
    if (request.enforce) return fail("-cpu {}: {}", request.name, text);
    if (request.check) report_warning(text);
    model.hyperv.set(HypervFeature::Runtime, false);
  }

  TRY(request.tell_absent(absent_bits(request, model), kSoftware));
  return model;
}

Result<ModelFit> fit_software(CpuRequest request) {
  request.check = request.enforce = false;
  const CpuModel model = TRY(make_model(request));
  return ModelFit{.features = bits_of(model),
                  .absent = absent_bits(request, model),
                  .vendor = model.vendor,
                  .brand = model.brand,
                  .family = model.family,
                  .model = model.model,
                  .stepping = model.stepping,
                  .level = model.level,
                  .xlevel = model.xlevel};
}

Result<CpuModel> make_model(Machine& machine) {
  const CpuRequest request = TRY(cpu_request_or(machine, std::string(kDefaultModel)));
  CpuModel model = TRY(make_model(request));
  model.random_seed = machine.service<GuestRandom>().seed;
  return model;
}

}  // namespace rhea::x86
