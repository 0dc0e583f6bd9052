// SPDX-License-Identifier: GPL-2.0-or-later
// The real-time clock and CMOS RAM: time, registers, snapshots.
#include "rhea/softmmu/tool_events.h"
#include "tests/legacy/mc146818_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

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

class RtcNews : public RtcTest {
 protected:
  RtcNews() {
    bench_.machine().service<ToolEvents>().observe(
        [this](const std::string& name, const ToolEvents::Data& data) {
          EXPECT_EQ(name, "RTC_CHANGE");
          EXPECT_EQ(data[1].second, Value(device_->path()));
          offsets_.push_back(std::get<i64>(data[0].second));
        });
  }
  std::vector<i64> offsets_;
};

TEST_F(RtcNews, TellOfTheTimeThatTheGuestSets) {
  wall(10 * kNsPerSecond);  // 00:00:09
  write(kA, 0x26);
  write(kB, 0x02);
  write(kSecondsAlarm, 0x30);
  write(kHours, 0x02);
  ASSERT_TRUE(bench_.run_until([this] { return !offsets_.empty(); }));
  EXPECT_EQ(offsets_, std::vector<i64>({2 * 3600}));
}

TEST_F(RtcNews, WaitUntilTheClockRunsAgain) {
  write(kB, 0x82);
  write(kMinutes, 0x30);
  bench_.run_until([] { return false; });
  EXPECT_TRUE(offsets_.empty());
  write(kB, 0x02);
  ASSERT_TRUE(bench_.run_until([this] { return !offsets_.empty(); }));
  EXPECT_EQ(offsets_, std::vector<i64>({-29 * 60}));
}

TEST_F(RtcNews, OfManyChangesTheLatestIsTold) {
  for (int i = 0; i < 1000; ++i) write(kMinutes, 0x58);
  write(kMinutes, 0x57);
  ASSERT_TRUE(bench_.run_until([this] { return !offsets_.empty(); }));
  write(kMinutes, 0x56);
  write(kMinutes, 0x55);
  ASSERT_TRUE(bench_.run_until([this] { return offsets_.size() > 1; }));
  EXPECT_EQ(offsets_, std::vector<i64>({-2 * 60, -4 * 60}));
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
  bench.outb(0x170, 0x0b);  // register B
  bench.outb(0x171, 0x42);
  bench.advance(kNsPerSecond);
  EXPECT_TRUE(bench.irq(10));
}

}  // namespace
}  // namespace rhea::test
