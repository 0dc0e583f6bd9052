// SPDX-License-Identifier: GPL-2.0-or-later
// -cpu: models, features more or less, values, and what they come to on the software processor.
#include "target/x86/models.h"

#include "rhea/softmmu/machine.h"
#include "target/x86/host_features.h"
#include "target/x86/model_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;
using x86::CpuModel;
using x86::Feature;

CpuModel made(const std::string& text) {
  auto request = x86::parse_cpu(text);
  EXPECT_TRUE(request) << text << ": " << request.error().message();
  auto model = x86::make_model(*request);
  EXPECT_TRUE(model) << text << ": " << model.error().message();
  return *model;
}

std::string refusal(const std::string& text) {
  auto request = x86::parse_cpu(text);
  if (!request) return request.error().message();
  auto model = x86::make_model(*request);
  return model ? "it works" : model.error().message();
}

x86::CpuidResult ask(const CpuModel& model, u32 leaf, u32 subleaf = 0) {
  return x86::cpuid(model, leaf, subleaf, {});
}

TEST(CpuModels, EveryRowIsSoundAndHasABaseBeforeIt) {
  std::vector<std::string_view> seen;
  for (const x86::ModelRow& row : x86::model_rows()) {
    EXPECT_TRUE(row.base.empty() || std::ranges::find(seen, row.base) != seen.end()) << row.name;
    EXPECT_EQ(std::ranges::find(seen, row.name), seen.end()) << row.name;
    const CpuModel model = made(std::string(row.name));
    EXPECT_EQ(model.vendor.size(), 12U) << row.name;
    EXPECT_LE(model.brand.size(), 48U) << row.name;
    EXPECT_TRUE(model.has(Feature::Fpu)) << row.name;
    seen.push_back(row.name);
  }
}

TEST(CpuModels, Qemu64IsWhatQemuTellsGuests) {
  const CpuModel model = made("qemu64");
  EXPECT_EQ(ask(model, 0).ebx, 0x68747541U);  // "Auth"
  EXPECT_EQ(ask(model, 0).eax, 0xdU);
  EXPECT_EQ(ask(model, 1).eax, 0x00060fb1U);
  EXPECT_EQ(ask(model, 0x80000000).eax, 0x8000000aU);
  EXPECT_EQ(ask(model, 0x80000002).eax, 0x554d4551U);  // "QEMU"
  EXPECT_TRUE(model.has(Feature::Lm));
  EXPECT_FALSE(model.has(Feature::Vme));
  EXPECT_FALSE(model.has(Feature::Svm));
}

TEST(CpuModels, TheSignatureHasExtendedFamilyAndModel) {
  EXPECT_EQ(ask(made("Skylake-Client"), 1).eax, 0x000506e3U);
  EXPECT_EQ(ask(made("EPYC"), 1).eax, 0x00800f12U);
  EXPECT_EQ(ask(made("486"), 1).eax, 0x00000480U);
}

TEST(CpuModels, AModelHasItsBasesFeatures) {
  const CpuModel haswell = made("Haswell");
  for (const Feature feature : {Feature::Movbe, Feature::Fsgsbase, Feature::Smep, Feature::Sse3,
                                Feature::Popcnt, Feature::Cx16, Feature::Fpu})
    EXPECT_TRUE(haswell.has(feature)) << x86::feature_rows()[static_cast<unsigned>(feature)].name;
  EXPECT_FALSE(made("IvyBridge").has(Feature::Movbe));
  EXPECT_FALSE(made("qemu32").has(Feature::Lm));
}

TEST(CpuModels, VersionsAreTheSameModel) {
  EXPECT_EQ(made("Haswell-v4").brand, made("Haswell-noTSX-IBRS").brand);
  EXPECT_EQ(made("EPYC-v1").features, made("EPYC").features);
}

TEST(CpuModels, FeaturesAreSwitchedInAnySpelling) {
  EXPECT_TRUE(made("qemu64,+popcnt").has(Feature::Popcnt));
  EXPECT_TRUE(made("qemu64,popcnt=on").has(Feature::Popcnt));
  EXPECT_TRUE(made("qemu64,popcnt").has(Feature::Popcnt));
  EXPECT_FALSE(made("qemu64,-pni").has(Feature::Sse3));
  EXPECT_FALSE(made("qemu64,lahf_lm=off").has(Feature::LahfLm));
  EXPECT_TRUE(made("qemu64,+tsc_adjust").has(Feature::TscAdjust));
  EXPECT_FALSE(made("qemu64,+popcnt,-popcnt").has(Feature::Popcnt));
  EXPECT_TRUE(made("base,+fpu").has(Feature::Fpu));
}

TEST(CpuModels, AFeatureBringsItsLeafAlong) {
  EXPECT_EQ(made("qemu32,+smep").level, 7U);
  EXPECT_EQ(made("pentium3,+lm").xlevel, 0x80000001U);
  EXPECT_NE(ask(made("pentium3,+lm"), 0x80000001).edx & 1U << 29, 0U);
}

TEST(CpuModels, WhatTheInterpreterLacksIsNotOffered) {
  for (const char* name : {"max", "EPYC", "host", "Icelake-Server"}) {
    const CpuModel model = made(name);
    EXPECT_FALSE(model.has(Feature::Monitor)) << name;
    EXPECT_FALSE(model.has(Feature::Svm)) << name;
  }
  testing::internal::CaptureStderr();
  EXPECT_FALSE(made("qemu64,+avx512f,+svm").has(Feature::Svm));
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("EBX.avx512f [bit 16]"));
  EXPECT_THAT(said, HasSubstr("ECX.svm [bit 2]"));
  EXPECT_EQ(std::ranges::count(said, '\n'), 2);
}

TEST(CpuModels, WhatNobodyAskedForIsNotMissed) {
  testing::internal::CaptureStderr();
  made("Skylake-Server");
  made("qemu64,+avx512f,check=off");
  made("Haswell,-hle,-rtm");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(CpuModels, WhatOnlyQemuCanNameIsMissedLikeTheRest) {
  testing::internal::CaptureStderr();
  made("max,+vmx-ept,vmx_vpid=on,xstore,-xcrypt,sgx1=off");
  made("max,+vmx-pml,-vmx-pml,hv-synic=off,lmce=off");
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("doesn't support requested feature: vmx-ept\n"));
  EXPECT_THAT(said, HasSubstr("doesn't support requested feature: vmx-vpid\n"));
  EXPECT_THAT(said, HasSubstr("doesn't support requested feature: xstore\n"));
  EXPECT_EQ(std::ranges::count(said, '\n'), 3);
  EXPECT_THAT(refusal("max,+vmx-ept,enforce"), HasSubstr("vmx-ept"));
}

TEST(CpuModels, QemusPropertiesAreKnownByName) {
  EXPECT_THAT(refusal("max,hv-synic"), HasSubstr("QEMU has this; Rhea has not yet"));
  EXPECT_THAT(refusal("max,hv_stimer=on"), HasSubstr("QEMU has this; Rhea has not yet"));
  EXPECT_THAT(refusal("max,ucode-rev=1"), HasSubstr("QEMU has this; Rhea has not yet"));
  EXPECT_THAT(refusal("max,nope=off"), testing::Not(HasSubstr("QEMU")));
}

TEST(CpuModels, VersionsHaveSignaturesAndNamesOfTheirOwn) {
  EXPECT_EQ(made("Haswell-noTSX").stepping, 1U);
  EXPECT_EQ(made("Haswell-v3").stepping, 4U);
  EXPECT_EQ(made("Haswell-v4").stepping, 1U);
  EXPECT_EQ(made("Icelake-Server-v6").model, 106U);
  EXPECT_EQ(made("EPYC-v3").brand, "AMD EPYC Processor");
  EXPECT_EQ(made("Snowridge-v4").brand, "Intel Atom Processor (Snowridge, no MPX)");
  EXPECT_EQ(made("Cooperlake-v2").brand, "Intel Xeon Processor (Cooperlake)");
  EXPECT_EQ(made("KnightsMill").model, 133U);
  EXPECT_EQ(made("Dhyana").vendor, "HygonGenuine");
  EXPECT_FALSE(made("Dhyana-v2").has(Feature::Aes));
}

TEST(CpuModels, EnforceRefuses) {
  EXPECT_THAT(refusal("qemu64,-svm,+avx512f,enforce"), HasSubstr("avx512f"));
  EXPECT_THAT(refusal("Haswell,enforce"), HasSubstr("hle"));
  EXPECT_EQ(refusal("qemu64,-svm,enforce"), "it works");
}

TEST(CpuModels, GuestsMaySkipMitigations) {
  const CpuModel model = made("Skylake-Client");
  EXPECT_NE(ask(model, 7).edx & 1U << 29, 0U);
  constexpr u64 kRdclNo = 1, kIbrsAll = 2, kSsbNo = 1 << 4, kMdsNo = 1 << 5, kTaaNo = 1 << 8;
  constexpr u64 wanted = kRdclNo | kIbrsAll | kSsbNo | kMdsNo | kTaaNo;
  EXPECT_EQ(model.arch_capabilities & wanted, wanted);
  EXPECT_EQ(made("Skylake-Client,-rdctl-no").arch_capabilities & kRdclNo, 0U);
  EXPECT_EQ(made("Skylake-Client,-arch-capabilities").arch_capabilities, 0U);
  EXPECT_FALSE(made("pentium3").has(Feature::ArchCapabilities));
}

// As in QEMU: no model has it, and who saves machines for other hosts need not turn it off.
TEST(CpuModels, AnInvariantTscIsThereWhenAskedFor) {
  EXPECT_FALSE(made("qemu64").has(Feature::Invtsc));
  EXPECT_FALSE(made("Skylake-Server").has(Feature::Invtsc));
  EXPECT_FALSE(made("max").has(Feature::Invtsc));
  EXPECT_TRUE(made("qemu64,+invtsc").has(Feature::Invtsc));
  EXPECT_TRUE(made("max,invtsc=on").has(Feature::Invtsc));
  EXPECT_TRUE(made("max,migratable=off").has(Feature::Invtsc));
  EXPECT_FALSE(made("max,migratable=off,-invtsc").has(Feature::Invtsc));
  EXPECT_FALSE(made("qemu64,migratable=off").has(Feature::Invtsc));
}

TEST(CpuModels, WithoutAnOptionGuestsMayTrustTheTimeStampCounter) {
  Machine machine;
  const auto model = x86::make_model(machine);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->name, "qemu64");
  EXPECT_TRUE(model->has(Feature::Invtsc));
}

TEST(CpuModels, ValuesOfItsOwn) {
  const CpuModel model = made(
      "qemu64,vendor=GenuineIntel,model-id=A processor,family=6,model=58,stepping=9,level=7,"
      "xlevel=0x80000008,phys-bits=46,tsc-frequency=2500000000");
  EXPECT_EQ(model.vendor, "GenuineIntel");
  EXPECT_EQ(model.brand, "A processor");
  EXPECT_EQ(model.signature(), 0x000306a9U);
  EXPECT_EQ(model.level, 7U);
  EXPECT_EQ(model.xlevel, 0x80000008U);
  EXPECT_EQ(ask(model, 0x80000008).eax & 0xff, 46U);
  EXPECT_EQ(model.tsc_khz, 2'500'000U);
}

TEST(CpuModels, MicrosoftsHypervisorInterfaceIsToldOfWhenAskedFor) {
  const CpuModel model =
      made("qemu64,hv_relaxed,hv-vapic=on,hv-spinlocks=0x1fff,+hv-time,hv-frequencies");
  EXPECT_EQ(ask(model, 0x40000000).eax, 0x40000005U);
  EXPECT_EQ(ask(model, 0x40000000).ebx, 0x7263694dU);  // "Micr"
  EXPECT_EQ(ask(model, 0x40000001).eax, 0x31237648U);  // "Hv#1"
  EXPECT_EQ(ask(model, 0x40000003).eax, 0xa32U);       // hypercalls, APIC, time twice, frequencies
  EXPECT_EQ(ask(model, 0x40000003).edx, 0x108U);
  EXPECT_EQ(ask(model, 0x40000004).eax, 0x28U);
  EXPECT_EQ(ask(model, 0x40000004).ebx, 0x1fffU);
  EXPECT_EQ(ask(model, 0x40000005).eax, 64U);
  EXPECT_EQ(ask(model, 0x40000100).eax, 0x40000101U);
  EXPECT_EQ(ask(model, 0x40000100).ebx, 0x54474354U);  // "TCGT"
  EXPECT_EQ(ask(made("qemu64,hv-time,hv-vendor-id=Me"), 0x40000000).ebx, 0x654dU);
}

TEST(CpuModels, WithoutMicrosoftsInterfaceOurOwnComesFirst) {
  const CpuModel model = made("qemu64,hv-time,-hv-time");
  EXPECT_EQ(ask(model, 0x40000000).eax, 0x40000001U);
  EXPECT_EQ(ask(model, 0x40000000).ebx, 0x54474354U);
}

TEST(CpuModels, WithoutXsaveThereIsNoAvx) {
  const CpuModel model = made("max,-xsave");
  EXPECT_FALSE(model.has(Feature::Avx));
  EXPECT_FALSE(model.has(Feature::Avx2));
  EXPECT_EQ(ask(model, 0xd).eax, 0U);
}

TEST(CpuModels, MistakesAreNamed) {
  EXPECT_THAT(refusal("nope"), HasSubstr("'nope'"));
  EXPECT_THAT(refusal("qemu64,+nope"), HasSubstr("'nope'"));
  EXPECT_THAT(refusal("qemu64,nope=on"), HasSubstr("'nope'"));
  EXPECT_THAT(refusal("qemu64,avx=maybe"), HasSubstr("avx=maybe"));
  EXPECT_THAT(refusal("qemu64,vendor=me"), HasSubstr("vendor"));
  EXPECT_THAT(refusal("qemu64,phys-bits=99"), HasSubstr("phys-bits"));
  EXPECT_THAT(refusal("qemu64,family=x"), HasSubstr("family"));
  EXPECT_THAT(refusal(""), HasSubstr("model"));
  EXPECT_THAT(refusal("qemu64,hv-nope"), HasSubstr("'hv-nope'"));
  EXPECT_THAT(refusal("qemu64,hv-time=maybe"), HasSubstr("hv-time=maybe"));
  EXPECT_THAT(refusal("qemu64,hv-spinlocks=many"), HasSubstr("hv-spinlocks"));
  EXPECT_THAT(refusal("qemu64,hv-vendor-id=much too long"), HasSubstr("hv-vendor-id"));
  EXPECT_THAT(refusal("qemu64,-svm,hv-runtime,enforce"), HasSubstr("hv-runtime"));
}

TEST(CpuModels, TheHelpListsModelsAndFeatures) {
  const std::string text = x86::cpu_help();
  for (const char* word : {"x86 qemu64", "x86 EPYC-Milan", "x86 host", "smep", "avx512f"})
    EXPECT_THAT(text, HasSubstr(word));
}

TEST(CpuModels, TheHostHasWhatItsCompilerFinds) {
  const auto host_has = [](Feature feature) {
    return x86::host_has(x86::feature_rows()[static_cast<unsigned>(feature)]);
  };

  EXPECT_EQ(host_has(Feature::Sse2), __builtin_cpu_supports("sse2") != 0);
  EXPECT_EQ(host_has(Feature::Sse42), __builtin_cpu_supports("sse4.2") != 0);
  EXPECT_EQ(host_has(Feature::Bmi1), __builtin_cpu_supports("bmi") != 0);
  EXPECT_EQ(host_has(Feature::Sse4a), __builtin_cpu_supports("sse4a") != 0);
}

}  // namespace
}  // namespace rhea::test
