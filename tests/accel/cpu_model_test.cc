// SPDX-License-Identifier: GPL-2.0-or-later
// What of a CPU model and its MSRs KVM is told, and what a host refuses of it.
#include "accel/kvm/cpu_model.h"

#include "accel/kvm/cpuid.h"
#include "accel/kvm/msrs.h"
#include "target/x86/models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace rhea::test {
namespace {

using testing::ElementsAre;

kvm_cpuid_entry2 leaf(u32 function) {
  kvm_cpuid_entry2 made{};
  made.function = function;
  return made;
}

TEST(KvmCpuid, ALeafThatTheHostRefusesIsDroppedWithAWarning) {
  const std::vector leaves = {leaf(0), leaf(1), leaf(0x14), leaf(0x80000000)};
  std::vector<std::string> warnings;
  std::size_t taken = 0;
  const auto refuse = [&](std::span<const kvm_cpuid_entry2> list) {
    if (std::ranges::find(list, 0x14U, &kvm_cpuid_entry2::function) != list.end()) return -EINVAL;
    taken = list.size();
    return 0;
  };
  ASSERT_TRUE(
      kvm::apply_cpuid(leaves, refuse, [&](const std::string& w) { warnings.push_back(w); }));
  EXPECT_EQ(taken, 3U);
  EXPECT_THAT(warnings, ElementsAre("this host's KVM refuses CPUID leaf 0x14: the guest goes "
                                    "without it"));
}

TEST(KvmCpuid, KvmsOwnLeavesAreBehindMicrosofts) {
  std::vector leaves = {leaf(0), leaf(1), leaf(0x40000000), leaf(0x40000001)};
  leaves[2].eax = 0x40000001;
  leaves[3].eax = 0x42;
  const auto made = kvm::apply_model(leaves, *x86::parse_cpu("host,hv-time,hv-relaxed")).leaves;
  const auto at = [&made](u32 function) {
    const auto it = std::ranges::find(made, function, &kvm_cpuid_entry2::function);
    return it == made.end() ? kvm_cpuid_entry2{} : *it;
  };
  EXPECT_EQ(at(0x40000000).eax, 0x40000005U);
  EXPECT_EQ(at(0x40000003).eax, 0x222U);
  EXPECT_EQ(at(0x40000100).eax, 0x40000101U);
  EXPECT_EQ(at(0x40000101).eax, 0x42U);
  EXPECT_EQ(std::ranges::count(made, 0x40000001U, &kvm_cpuid_entry2::function), 1);
}

TEST(KvmCpuid, AnInvariantTscIsThereWhenAskedFor) {
  std::vector leaves = {leaf(0), leaf(1), leaf(0x80000000), leaf(0x80000007)};
  leaves[2].eax = 0x80000007;
  leaves[3].edx = 1 << 8;
  const auto power = [&leaves](const char* request) {
    return kvm::apply_model(leaves, *x86::parse_cpu(request)).leaves.back().edx;
  };
  EXPECT_EQ(power("host"), 0U);
  EXPECT_EQ(power("max"), 0U);
  EXPECT_EQ(power("host,migratable=off"), 1U << 8);
  EXPECT_EQ(power("host,+invtsc"), 1U << 8);
}

TEST(KvmCpuid, AHostThatRefusesEverythingIsAnError) {
  const std::vector leaves = {leaf(0), leaf(1), leaf(0x14)};
  const auto result =
      kvm::apply_cpuid(leaves, [](auto) { return -EINVAL; }, [](const std::string&) {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(), "KVM_SET_CPUID2: Invalid argument");
}

TEST(KvmMsrs, TheListGoesOnBehindEachRefusedOne) {
  std::vector<kvm_msr_entry> list(5);
  for (u32 i = 0; i < 5; ++i) list[i].index = i;
  std::vector<u32> refused, done;
  const auto call = [](std::span<kvm_msr_entry> rest) {
    int count = 0;
    for (const auto& msr : rest) {
      if (msr.index == 1 || msr.index == 4) break;
      ++count;
    }
    return count;
  };
  for (const auto& msr :
       kvm::pass_msrs(list, call, [&](const kvm_msr_entry& m) { refused.push_back(m.index); }))
    done.push_back(msr.index);
  EXPECT_THAT(done, ElementsAre(0, 2, 3));
  EXPECT_THAT(refused, ElementsAre(1, 4));
}

}  // namespace
}  // namespace rhea::test
