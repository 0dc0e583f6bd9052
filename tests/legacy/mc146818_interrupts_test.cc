// SPDX-License-Identifier: GPL-2.0-or-later
// The real-time clock's update, alarm and periodic interrupts.
#include "tests/legacy/mc146818_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

TEST_F(RtcTest, TheUpdateInterruptComesEachSecond) {
  write(kB, 0x12);
  wall(999 * kMs);
  EXPECT_FALSE(bench_.irq(8));
  wall(1 * kMs);
  EXPECT_TRUE(bench_.irq(8));
  EXPECT_EQ(read(kC) & 0x90, 0x90);
  EXPECT_FALSE(bench_.irq(8));
  EXPECT_EQ(read(kC), 0x00);
  wall(1 * kNsPerSecond);
  EXPECT_TRUE(bench_.irq(8));
}

/// What an edge-triggered 8259 sees of the line, when the next period ends while the line rises.
struct LateListener {
  void set(unsigned, bool level) {
    rises += level && !high ? 1 : 0;
    high = level;
    if (level && rises == 1) clock->set_ns(clock->now_ns() + period);
  }
  Clock* clock{};
  i64 period{};
  unsigned rises{};
  bool high{};
};

TEST_F(RtcTest, AFlagThatComesWhileTheLastIsReadIsAnEdgeOfItsOwn) {
  LateListener listener{.clock = &bench_.machine().virtual_clock(), .period = kNsPerSecond / 2};
  device_->connect_gpio_out("", 0, Irq::to<&LateListener::set>(listener, 0));
  write(kA, 0x2f);  // twice a second
  write(kB, 0x42);
  listener.clock->set_ns(listener.clock->now_ns() + listener.period);
  EXPECT_NE(read(kC) & 0x40, 0);
  EXPECT_EQ(listener.rises, 2U);
}

TEST_F(RtcTest, FlagsAreSetWithoutTheirInterrupts) {
  wall(1 * kNsPerSecond);
  EXPECT_FALSE(bench_.irq(8));
  EXPECT_EQ(read(kC) & 0x90, 0x10);
}

TEST_F(RtcTest, AFlagThatIsUpInterruptsWhenItIsEnabled) {
  wall(1 * kNsPerSecond);
  write(kB, 0x12);
  EXPECT_TRUE(bench_.irq(8));
}

TEST_F(RtcTest, SettingTheTimeTakesTheUpdateInterruptAway) {
  write(kB, 0x92);
  EXPECT_EQ(read(kB), 0x82);
  wall(2 * kNsPerSecond);
  EXPECT_FALSE(bench_.irq(8));
}

TEST_F(RtcTest, TheAlarmInterruptsAtItsTime) {
  write(kHoursAlarm, 0x00);
  write(kMinutesAlarm, 0x00);
  write(kSecondsAlarm, 0x05);
  write(kB, 0x22);
  wall(5 * kNsPerSecond);
  EXPECT_FALSE(bench_.irq(8));
  wall(1 * kNsPerSecond);
  EXPECT_TRUE(bench_.irq(8));
  EXPECT_EQ(read(kC) & 0xa0, 0xa0);
  wall(86'399 * kNsPerSecond);
  EXPECT_FALSE(bench_.irq(8));
  wall(1 * kNsPerSecond);
  EXPECT_TRUE(bench_.irq(8));
}

TEST_F(RtcTest, AlarmFieldsOfC0AndUpMatchAnything) {
  write(kHoursAlarm, 0xc0);
  write(kMinutesAlarm, 0xff);
  write(kSecondsAlarm, 0x30);
  write(kB, 0x22);
  wall(31 * kNsPerSecond);
  EXPECT_EQ(bench_.irq_edges(8), 1u);
  read(kC);
  wall(60 * kNsPerSecond);
  EXPECT_EQ(bench_.irq_edges(8), 2u);
}

TEST_F(RtcTest, AnAlarmThatIsNoTimeNeverComes) {
  write(kHoursAlarm, 0x77);
  write(kMinutesAlarm, 0xc0);
  write(kSecondsAlarm, 0xc0);
  write(kB, 0x22);
  wall(2 * 86'400 * kNsPerSecond);
  EXPECT_FALSE(bench_.irq(8));
  EXPECT_EQ(read(kC) & 0x20, 0);
}

TEST_F(RtcTest, TheAlarmKnowsTwelveHours) {
  write(kB, 0x80);
  write(kHours, 0x12);
  write(kMinutes, 0x00);
  write(kSeconds, 0x00);
  write(kHoursAlarm, 0x81);  // 1 pm
  write(kMinutesAlarm, 0x00);
  write(kSecondsAlarm, 0x00);
  write(kB, 0x20);
  wall(13 * 3600 * kNsPerSecond - 1);
  EXPECT_FALSE(bench_.irq(8));
  wall(1);
  EXPECT_TRUE(bench_.irq(8));
}

TEST_F(RtcTest, ThePeriodicInterruptKeepsItsRate) {
  write(kB, 0x42);
  bench_.advance(1'000'000'000 / 1024 + 1);
  EXPECT_TRUE(bench_.irq(8));
  EXPECT_EQ(read(kC), 0xc0);
  const unsigned interrupts = bench_.irq_edges(8);
  bench_.advance(976'563);
  EXPECT_EQ(bench_.irq_edges(8), interrupts + 1);
}

TEST_F(RtcTest, TheSlowestPeriodicRateIsTwoHertz) {
  write(kA, 0x2f);
  write(kB, 0x42);
  bench_.advance(499 * kMs);
  EXPECT_FALSE(bench_.irq(8));
  bench_.advance(1 * kMs);
  EXPECT_TRUE(bench_.irq(8));
}

TEST_F(RtcTest, RatesOneAndTwoAre256And128Hertz) {
  write(kA, 0x21);
  write(kB, 0x42);
  bench_.advance(3'906'250);
  EXPECT_EQ(read(kC), 0xc0);
  write(kA, 0x22);
  bench_.advance(3'906'250);
  EXPECT_EQ(bench_.irq_edges(8), 2u);
}

TEST_F(RtcTest, RateZeroHasNoPeriodicInterrupt) {
  write(kA, 0x20);
  write(kB, 0x42);
  bench_.advance(10 * kNsPerSecond);
  EXPECT_EQ(read(kC), 0);
}

TEST_F(RtcTest, ThePeriodicFlagNeedsNoEnable) {
  bench_.advance(1 * kMs);
  EXPECT_EQ(read(kC), 0x40);
}

TEST_F(RtcTest, TicksThatNobodyReadAreDiscarded) {
  write(kB, 0x42);
  bench_.advance(10 * kMs);
  EXPECT_EQ(bench_.irq_edges(8), 1u);
  EXPECT_EQ(read(kC), 0xc0);
  EXPECT_EQ(read(kC), 0x00);
}

class RtcSlewTest : public RtcBase {
 protected:
  RtcSlewTest() : RtcBase({{"lost_tick_policy", "slew"}}) {}
};

TEST_F(RtcSlewTest, TicksThatNobodyReadComeLater) {
  write(kB, 0x42);
  bench_.advance(4 * kNsPerSecond / 1024 + 4);
  EXPECT_EQ(bench_.irq_edges(8), 1u);
  EXPECT_EQ(read(kC), 0xc0);
  EXPECT_EQ(bench_.irq_edges(8), 2u);
  read(kC);
  read(kC);
  EXPECT_EQ(bench_.irq_edges(8), 4u);
  EXPECT_EQ(read(kC), 0xc0);
  EXPECT_EQ(bench_.irq_edges(8), 4u);
  EXPECT_EQ(read(kC), 0x00);
}

TEST_F(RtcSlewTest, ABurstIsLimited) {
  write(kB, 0x42);
  bench_.advance(kNsPerSecond);
  const unsigned edges = bench_.irq_edges(8);
  for (int i = 0; i < 100; ++i) read(kC);
  EXPECT_EQ(bench_.irq_edges(8) - edges, 20u);
}

}  // namespace
}  // namespace rhea::test
