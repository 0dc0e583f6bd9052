// SPDX-License-Identifier: GPL-2.0-or-later
// The real-time clock and CMOS RAM.
#include "hw/rtc/mc146818.h"

#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr i64 kStart = 1'709'164'799;  // Wednesday, 28 February 2024, 23:59:59 UTC
constexpr i64 kMs = 1'000'000;

enum Register : u8 {
  kSeconds = 0,
  kSecondsAlarm = 1,
  kMinutes = 2,
  kMinutesAlarm = 3,
  kHours = 4,
  kHoursAlarm = 5,
  kDayOfWeek = 6,
  kDay = 7,
  kMonth = 8,
  kYear = 9,
  kA = 10,
  kB = 11,
  kC = 12,
  kD = 13,
  kCentury = 0x32,
};

class RtcBase : public testing::Test {
 protected:
  explicit RtcBase(const Properties& properties) {
    bench_.machine().host_clock().set_manual(kStart * kNsPerSecond);
    device_ = &bench_.add("mc146818rtc", properties);
  }
  u8 read(u8 index) {
    bench_.outb(0x70, index);
    return bench_.inb(0x71);
  }
  void write(u8 index, u8 value) {
    bench_.outb(0x70, index);
    bench_.outb(0x71, value);
  }
  /// Wall-clock time goes on.
  void wall(i64 ns) {
    Clock& clock = bench_.machine().host_clock();
    clock.advance_to(clock.now_ns() + ns);
  }
  std::string date_and_time() {
    return fmt::format("{:02x}{:02x}-{:02x}-{:02x} {:02x}:{:02x}:{:02x}", read(kCentury),
                       read(kYear), read(kMonth), read(kDay), read(kHours), read(kMinutes),
                       read(kSeconds));
  }

  Bench bench_;
  Device* device_;
};

class RtcTest : public RtcBase {
 protected:
  RtcTest() : RtcBase({{"base_year", "2000"}}) {}
};

TEST_F(RtcTest, ShowsTheHostsDateAndTimeInBcd) {
  EXPECT_EQ(date_and_time(), "2024-02-28 23:59:59");
  EXPECT_EQ(read(kDayOfWeek), 4);
}

TEST_F(RtcTest, HasTheUsualControlRegisters) {
  EXPECT_EQ(read(kA), 0x26);
  EXPECT_EQ(read(kB), 0x02);
  EXPECT_EQ(read(kC), 0x00);
  EXPECT_EQ(read(kD), 0x80);
  EXPECT_EQ(bench_.inb(0x70), 0xff);
}

TEST_F(RtcTest, GoesOnOverMidnightInALeapYear) {
  wall(1 * kNsPerSecond);
  EXPECT_EQ(date_and_time(), "2024-02-29 00:00:00");
  EXPECT_EQ(read(kDayOfWeek), 5);
}

TEST_F(RtcTest, GoesOnOverTheEndOfACentury) {
  write(kB, 0x82);
  write(kCentury, 0x20);
  write(kYear, 0x99);
  write(kMonth, 0x12);
  write(kDay, 0x31);
  write(kDayOfWeek, 0x07);
  write(kB, 0x02);
  wall(1 * kNsPerSecond);
  EXPECT_EQ(date_and_time(), "2100-01-01 00:00:00");
  EXPECT_EQ(read(kDayOfWeek), 1);
}

TEST_F(RtcTest, FollowsAHostClockThatIsSetBack) {
  bench_.machine().host_clock().set_ns((kStart - 3600) * kNsPerSecond);
  EXPECT_EQ(date_and_time(), "2024-02-28 22:59:59");
}

TEST_F(RtcTest, BinaryModeShowsNumbers) {
  write(kB, 0x82 | 0x04);
  write(kHours, 22);
  write(kMinutes, 58);
  write(kSeconds, 59);
  write(kB, 0x06);
  wall(1 * kNsPerSecond);
  EXPECT_EQ(read(kHours), 22);
  EXPECT_EQ(read(kMinutes), 59);
  EXPECT_EQ(read(kSeconds), 0);
}

TEST_F(RtcTest, TwelveHourModeMarksTheAfternoon) {
  write(kB, 0x80);
  write(kHours, 0x91);  // 11 pm
  write(kB, 0x00);
  wall(1 * kNsPerSecond);
  EXPECT_EQ(read(kHours), 0x12);  // midnight
  wall(12 * 3600 * kNsPerSecond);
  EXPECT_EQ(read(kHours), 0x92);  // noon
}

TEST_F(RtcTest, StandsStillWhileItIsSet) {
  write(kB, 0x82);
  wall(10 * kNsPerSecond);
  EXPECT_EQ(date_and_time(), "2024-02-28 23:59:59");
  EXPECT_EQ(read(kA) & 0x80, 0);
  write(kMinutes, 0x30);
  write(kB, 0x02);
  EXPECT_EQ(date_and_time(), "2024-02-28 23:30:59");
  wall(1 * kNsPerSecond);
  EXPECT_EQ(date_and_time(), "2024-02-28 23:31:00");
}

TEST_F(RtcTest, ATimeThatTheGuestSetGoesOnFromThere) {
  write(kB, 0x82);
  write(kYear, 0x30);
  write(kMonth, 0x06);
  write(kDay, 0x01);
  write(kHours, 0x12);
  write(kB, 0x02);
  wall(61 * kNsPerSecond);
  EXPECT_EQ(date_and_time(), "2030-06-01 13:01:00");
}

TEST_F(RtcTest, AFieldWrittenWithoutSetIsNotCorrectedBeforeTheNextUpdate) {
  write(kDay, 0x31);
  EXPECT_EQ(read(kDay), 0x31);
  EXPECT_EQ(read(kMonth), 0x02);
  write(kMonth, 0x03);
  wall(1 * kNsPerSecond);
  EXPECT_EQ(date_and_time(), "2024-04-01 00:00:00");
}

TEST_F(RtcTest, TheCenturyIsAlsoAtThePs2sPlace) {
  EXPECT_EQ(read(0x37), 0x20);
  write(0x37, 0x21);
  EXPECT_EQ(read(kCentury), 0x21);
}

TEST_F(RtcTest, UpdateInProgressWarnsOfTheUpdate) {
  wall(999 * kMs);
  EXPECT_EQ(read(kA), 0x26);
  wall(900'000);
  EXPECT_EQ(read(kA), 0xa6);
  wall(100'000);
  EXPECT_EQ(read(kA), 0x26);
}

TEST_F(RtcTest, UpdateInProgressCannotBeWritten) {
  write(kA, 0xaf);
  EXPECT_EQ(read(kA), 0x2f);
}

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

TEST_F(RtcTest, ResettingTheDividerStopsEverything) {
  write(kA, 0x76);
  write(kB, 0x52);
  read(kC);
  wall(10 * kNsPerSecond);
  bench_.advance(kNsPerSecond);
  EXPECT_EQ(read(kC), 0);
  EXPECT_EQ(date_and_time(), "2024-02-28 23:59:59");
}

TEST_F(RtcTest, AfterADividerResetTheFirstUpdateComesInHalfASecond) {
  wall(900 * kMs);
  write(kA, 0x76);
  write(kA, 0x26);
  wall(499 * kMs);
  EXPECT_EQ(read(kSeconds), 0x59);
  wall(1 * kMs);
  EXPECT_EQ(read(kSeconds), 0x00);
}

TEST_F(RtcTest, ResetDisablesInterruptsAndKeepsTimeAndRam) {
  write(0x40, 0x99);
  write(kMinutes, 0x12);
  write(kA, 0x2a);
  write(kB, 0x7a);
  bench_.advance(kNsPerSecond);
  wall(kNsPerSecond);
  EXPECT_TRUE(bench_.irq(8));
  bench_.reset();
  EXPECT_FALSE(bench_.irq(8));
  EXPECT_EQ(read(kB), 0x02);
  EXPECT_EQ(read(kC), 0x00);
  EXPECT_EQ(read(kA), 0x2a);
  EXPECT_EQ(read(0x40), 0x99);
  EXPECT_EQ(read(kMinutes), 0x13);
}

TEST_F(RtcTest, RegistersCAndDAreReadOnly) {
  write(kC, 0xff);
  write(kD, 0x00);
  EXPECT_EQ(read(kC), 0x00);
  EXPECT_EQ(read(kD), 0x80);
}

TEST_F(RtcTest, TheIndexHasSevenBits) {
  write(0x8f, 0x5a);
  EXPECT_EQ(read(0x0f), 0x5a);
}

TEST_F(RtcTest, TheBoardFillsTheRam) {
  auto& rtc = dynamic_cast<hw::Mc146818&>(*device_);
  rtc.set_cmos(0x10, 0x44);
  EXPECT_EQ(read(0x10), 0x44);
  EXPECT_EQ(rtc.cmos(0x10), 0x44);
}

TEST_F(RtcTest, TheBoardSetsTheTime) {
  auto& rtc = dynamic_cast<hw::Mc146818&>(*device_);
  rtc.set_time(951'782'399);  // 28 February 2000, 23:59:59 UTC, a Monday
  EXPECT_EQ(date_and_time(), "2000-02-28 23:59:59");
  EXPECT_EQ(read(kDayOfWeek), 2);
  wall(kNsPerSecond);
  EXPECT_EQ(rtc.time(), 951'782'400);
  EXPECT_EQ(date_and_time(), "2000-02-29 00:00:00");
}

TEST_F(RtcTest, ASnapshotKeepsAlarmsFlagsAndTheGuestsOffset) {
  write(kHours, 0x10);
  write(kHoursAlarm, 0x11);
  write(kMinutesAlarm, 0x00);
  write(kSecondsAlarm, 0x00);
  write(0x33, 0x77);
  write(kB, 0x62);
  wall(500 * kMs);
  bench_.advance(1 * kMs);
  bench_.outb(0x70, 0x33);
  const auto saved = bench_.save();
  bench_.reset();

  ASSERT_TRUE(bench_.load(saved));

  EXPECT_EQ(bench_.inb(0x71), 0x77);
  EXPECT_TRUE(bench_.irq(8));
  EXPECT_EQ(read(kC), 0xc0);
  EXPECT_FALSE(bench_.irq(8));
  write(kA, 0x20);
  wall(500 * kMs);
  EXPECT_EQ(date_and_time(), "2024-02-28 11:00:00");
  EXPECT_TRUE(bench_.irq(8));
}

TEST_F(RtcTest, ASnapshotLoadedLaterShowsTheTimeOfThen) {
  const auto saved = bench_.save();
  wall(86'400 * kNsPerSecond);
  ASSERT_TRUE(bench_.load(saved));
  EXPECT_EQ(date_and_time(), "2024-02-29 23:59:59");
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

class RtcYearsTest : public RtcBase {
 protected:
  RtcYearsTest() : RtcBase({}) {}
};

TEST_F(RtcYearsTest, YearsCountFromTheBaseYear) {
  EXPECT_EQ(read(kYear), 0x44);
  EXPECT_EQ(read(kCentury), 0x00);
}

TEST(RtcProperties, TheDelayPolicyIsRefused) {
  Bench bench;
  const auto result = bench.try_add("mc146818rtc", {{"lost_tick_policy", "delay"}});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message().find("lost_tick_policy"), std::string::npos);
}

TEST(RtcProperties, TheInterruptLineCanBeChosen) {
  Bench bench;
  bench.machine().host_clock().set_manual(0);
  bench.add("mc146818rtc", {{"irq", "10"}, {"iobase", "0x170"}});
  bench.outb(0x170, kB);
  bench.outb(0x171, 0x42);
  bench.advance(kNsPerSecond);
  EXPECT_TRUE(bench.irq(10));
}

}  // namespace
}  // namespace rhea::test
