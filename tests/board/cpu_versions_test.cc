// SPDX-License-Identifier: GPL-2.0-or-later
// Processor models as the releases that boards are named after had them.
#include "hw/i386/cpu_versions.h"

#include "rhea/util/option.h"
#include "tests/support/pc.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using hw::BoardVersion;

x86::CpuRequest request_of(BoardVersion version, const std::string& cpu) {
  auto parsed = x86::parse_cpu(cpu, hw::model_defaults(version));
  EXPECT_TRUE(parsed) << parsed.error().message();
  return parsed ? *parsed : x86::CpuRequest();
}
x86::CpuModel model_of(BoardVersion version, const std::string& cpu) {
  return x86::make_model(request_of(version, cpu)).value();
}
bool wants(BoardVersion version, const std::string& cpu, std::string_view feature) {
  return request_of(version, cpu).wanted()[*x86::find_cpuid_bit(feature)];
}

TEST(CpuVersions, TheGenericModelWasAnotherUntilSixZero) {
  EXPECT_EQ(model_of({6, 0}, "qemu64").signature(), 0x663U);
  EXPECT_EQ(model_of({6, 1}, "qemu64").signature(), 0x60fb1U);
  EXPECT_EQ(model_of({1, 6}, "qemu64").signature(), 0x623U);
  EXPECT_EQ(model_of({6, 0}, "qemu64-v1").signature(), 0x60fb1U) << "a version is what it is";
}

TEST(CpuVersions, TheGenericModelNamesTheReleaseUntilTwoFour) {
  EXPECT_EQ(model_of({2, 4}, "qemu64").brand, "QEMU Virtual CPU version 2.4.0");
  EXPECT_EQ(model_of({2, 5}, "qemu64").brand, "QEMU Virtual CPU version 2.5+");
}

TEST(CpuVersions, FeaturesCameAndWent) {
  EXPECT_TRUE(wants({2, 4}, "qemu64", "popcnt"));
  EXPECT_FALSE(wants({2, 5}, "qemu64", "popcnt"));
  EXPECT_FALSE(wants({2, 2}, "Haswell", "rdrand"));
  EXPECT_TRUE(wants({2, 3}, "Haswell", "rdrand"));
  EXPECT_FALSE(wants({3, 1}, "Opteron_G5", "rdtscp"));
  EXPECT_TRUE(wants({2, 4}, "Opteron_G5", "rdtscp"));
  EXPECT_FALSE(model_of({2, 3}, "Haswell").has(x86::Feature::Arat));
  EXPECT_TRUE(model_of({2, 4}, "Haswell").has(x86::Feature::Arat));
}

TEST(CpuVersions, LeavesCameWithReleases) {
  const auto leaf = [](BoardVersion version, const std::string& cpu, u32 number, u32 index = 0) {
    return x86::cpuid(model_of(version, cpu), number, index, {});
  };
  EXPECT_EQ(leaf({2, 3}, "kvm64", 0).eax, 5U);
  EXPECT_EQ(leaf({2, 4}, "kvm64", 0).eax, 13U);
  EXPECT_EQ(leaf({2, 8}, "qemu64", 0x4000'0000).ebx, 0U);
  EXPECT_NE(leaf({2, 9}, "qemu64", 0x4000'0000).ebx, 0U);
  EXPECT_EQ(leaf({2, 7}, "Haswell", 4, 3).eax, 0U);
  EXPECT_NE(leaf({2, 8}, "Haswell", 4, 3).eax, 0U);
  EXPECT_EQ(leaf({2, 6}, "Haswell", 0xb, 1).ecx, 0U);
  EXPECT_NE(leaf({2, 7}, "Haswell", 0xb, 1).ecx, 0U);
}

TEST(CpuVersions, TheCommandLineCountsMore) {
  EXPECT_EQ(model_of({6, 0}, "qemu64,family=5").family, 5U);
  EXPECT_TRUE(model_of({2, 3}, "Haswell,+arat").has(x86::Feature::Arat));
  EXPECT_TRUE(wants({2, 2}, "Haswell,rdrand=on", "rdrand"));
}

TEST(CpuVersions, EveryModelOfEveryReleaseCanBeMade) {
  unsigned made = 0;
  for (const BoardVersion& version : hw::board_versions())
    for (const x86::ModelName& name : x86::model_names())
      made += x86::fit_software(request_of(version, std::string(name.name))).has_value() ? 1 : 0;
  EXPECT_EQ(made, hw::board_versions().size() * x86::model_names().size());
}

TEST(CpuVersions, TheBoardsNameDecides) {
  const auto family = [](const std::string& board, const std::string& cpu) {
    Machine machine;
    EXPECT_TRUE(find_option("machine")->apply(machine, board));
    EXPECT_TRUE(cpu.empty() || find_option("cpu")->apply(machine, cpu));
    EXPECT_TRUE(hw::choose_board(machine));
    return x86::make_model(machine).value().family;
  };
  EXPECT_EQ(family("pc-i440fx-5.2", ""), 6U);
  EXPECT_EQ(family("pc-i440fx-5.2", "qemu64,+avx"), 6U);
  EXPECT_EQ(family("pc", "qemu64"), 15U);
}

}  // namespace
}  // namespace rhea::test
