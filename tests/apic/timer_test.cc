// SPDX-License-Identifier: GPL-2.0-or-later
// The local APIC's timer: one-shot, periodic, and what a change of mode or divisor does to a count.
#include "tests/apic/apic_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr u32 kByOne = 0xb, kByTwo = 0x0;
constexpr u8 kVector = 0x40;

class ApicTimer : public testing::Test {
 protected:
  ApicTimer() {
    apic.write(kApicTimer, kVector);
    apic.write(kApicDivide, kByOne);
  }
  u32 count() { return apic.read(kApicCurrentCount); }
  void advance(i64 ns) { one.bench.advance(ns); }
  Clock& clock() { return one.bench.machine().virtual_clock(); }
  /// Nanoseconds until the host's timer expires.
  i64 until_next() { return clock().next_expiry_ns() - clock().now_ns(); }

  ApicBench one;
  apic::LocalApic& apic = one.apic;
};

TEST_F(ApicTimer, OneShotEndsAtZeroWithOneInterrupt) {
  apic.write(kApicInitialCount, 1000);
  advance(400);
  EXPECT_EQ(count(), 600u);
  EXPECT_FALSE(apic.has_interrupt());
  advance(2000);
  EXPECT_EQ(count(), 0u);
  EXPECT_EQ(apic.acknowledge(), kVector);
  EXPECT_EQ(apic.acknowledge(), std::nullopt);
}

TEST_F(ApicTimer, ARunningCountGoesOnWhenItBecomesPeriodic) {
  apic.write(kApicInitialCount, 1000);
  advance(400);
  apic.write(kApicTimer, kApicPeriodic | kVector);
  EXPECT_EQ(count(), 600u);
  EXPECT_EQ(apic.read(kApicInitialCount), 1000u);
  advance(700);
  EXPECT_EQ(count(), 900u);
  EXPECT_EQ(apic.acknowledge(), kVector);
}

TEST_F(ApicTimer, ARunningCountGoesOnWhenItIsPeriodicNoMore) {
  apic.write(kApicTimer, kApicPeriodic | kVector);
  apic.write(kApicInitialCount, 1000);
  advance(2300);
  apic.write(kApicTimer, kVector);
  EXPECT_EQ(count(), 700u);
  advance(1000);
  EXPECT_EQ(count(), 0u);
}

TEST_F(ApicTimer, ACountThatHasEndedDoesNotBeginAgainByBecomingPeriodic) {
  apic.write(kApicInitialCount, 1000);
  advance(1500);
  apic.acknowledge();
  apic.write(kApicEoi, 0);
  apic.write(kApicTimer, kApicPeriodic | kVector);
  EXPECT_EQ(count(), 0u);
  advance(3000);
  EXPECT_EQ(count(), 0u);
  EXPECT_FALSE(apic.has_interrupt());
}

TEST_F(ApicTimer, DeadlineModeEndsACount) {
  apic.write(kApicInitialCount, 1000);
  apic.write(kApicTimer, kApicDeadline | kVector);
  EXPECT_EQ(apic.read(kApicInitialCount), 0u);
  advance(2000);
  EXPECT_FALSE(apic.has_interrupt());
}

TEST_F(ApicTimer, AnotherDivisorCountsWhatIsLeft) {
  apic.write(kApicInitialCount, 1000);
  advance(400);
  apic.write(kApicDivide, kByTwo);
  EXPECT_EQ(count(), 600u);
  advance(200);
  EXPECT_EQ(count(), 500u);
  advance(1000);
  EXPECT_EQ(apic.acknowledge(), kVector);
}

// Sixty-four of a nanosecond would hold the main loop for ever.
TEST_F(ApicTimer, AShortPeriodComesNoMoreOftenThanKvms) {
  apic.write(kApicTimer, kApicPeriodic | kVector);
  apic.write(kApicInitialCount, 1);
  EXPECT_EQ(until_next(), 200'000);
  advance(200'000);
  EXPECT_EQ(apic.acknowledge(), kVector);
  EXPECT_EQ(until_next(), 200'000);
  apic.write(kApicInitialCount, 199'999);
  EXPECT_EQ(until_next(), 200'000);
}

TEST_F(ApicTimer, APeriodOfKvmsLeastIsExact) {
  apic.write(kApicTimer, kApicPeriodic | kVector);
  apic.write(kApicInitialCount, 200'000);
  advance(150'000);
  EXPECT_EQ(until_next(), 50'000);
}

TEST_F(ApicTimer, AOneShotMayBeShort) {
  apic.write(kApicInitialCount, 100);
  EXPECT_EQ(until_next(), 100);
}

TEST_F(ApicTimer, ARunningCountThatBecomesPeriodicAndShortIsHeldBackToo) {
  apic.write(kApicInitialCount, 1000);
  apic.write(kApicTimer, kApicPeriodic | kVector);
  advance(1000);
  EXPECT_EQ(apic.acknowledge(), kVector);
  EXPECT_EQ(until_next(), 200'000);
}

// The main loop came two and a half periods late: what is next lies ahead.
TEST_F(ApicTimer, ALateTimerIsArmedForTheFuture) {
  apic.write(kApicTimer, kApicPeriodic | kVector);
  apic.write(kApicInitialCount, 1'000'000);
  clock().set_ns(3'500'000);
  advance(0);
  EXPECT_EQ(apic.acknowledge(), kVector);
  EXPECT_EQ(until_next(), 500'000);
}

TEST_F(ApicTimer, SavedCountGoesOnAfterLoading) {
  apic.write(kApicInitialCount, 1000);
  advance(400);
  x86::CpuState state;
  apic.save(state);
  advance(5000);
  apic.load(state);
  EXPECT_EQ(count(), 600u);
  advance(600);
  EXPECT_EQ(count(), 0u);
}

}  // namespace
}  // namespace rhea::test
