// SPDX-License-Identifier: GPL-2.0-or-later
// The local APIC's registers: what is there in which mode.
#include "tests/apic/apic_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr u64 kX2apicMode = 0xfee0'0d00;

TEST(ApicRegisters, NoEntryForCorrectedMachineChecks) {
  ApicBench one;
  u64 value = 0;
  ASSERT_TRUE(one.apic.set_base(kX2apicMode, ~u64{0} >> 24));
  EXPECT_TRUE(one.apic.read_msr(0x837, value));
  EXPECT_FALSE(one.apic.read_msr(0x82f, value));
  EXPECT_FALSE(one.apic.write_msr(0x82f, 0));
}

TEST(ApicRegisters, X2apicEndsWithItsLastRegister) {
  ApicBench one;
  u64 value = 0;
  ASSERT_TRUE(one.apic.set_base(kX2apicMode, ~u64{0} >> 24));
  // 16 times as far from the first: where 32 bits begin anew.
  for (const u32 beyond : {0x840U, 0x1000'0830U, 0x1000'0802U, 0xc000'0802U, 0x7ffU}) {
    EXPECT_FALSE(one.apic.read_msr(beyond, value)) << beyond;
    EXPECT_FALSE(one.apic.write_msr(beyond, 0)) << beyond;
  }
}

TEST(ApicRegisters, NoWayBackFromX2apicButByTurningItOff) {
  ApicBench one;
  ASSERT_TRUE(one.apic.set_base(kX2apicMode, ~u64{0} >> 24));
  EXPECT_FALSE(one.apic.set_base(0xfee0'0900, ~u64{0} >> 24));
  EXPECT_TRUE(one.apic.set_base(0xfee0'0100, ~u64{0} >> 24));
  EXPECT_FALSE(one.apic.set_base(kX2apicMode, ~u64{0} >> 24));
  EXPECT_TRUE(one.apic.set_base(0xfee0'0900, ~u64{0} >> 24));
}

}  // namespace
}  // namespace rhea::test
