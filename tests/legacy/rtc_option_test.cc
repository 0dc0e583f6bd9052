// SPDX-License-Identifier: GPL-2.0-or-later
// -rtc: where the real-time clock begins, and what it goes by.
#include "hw/rtc/mc146818.h"
#include "rhea/util/option.h"
#include "tests/support/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr i64 kHostTime = 1'709'164'799;
constexpr i64 kMinute = 60;

class RtcOption : public testing::Test {
 protected:
  RtcOption() { bench_.machine().host_clock().set_manual(kHostTime * kNsPerSecond); }
  Result<> option(const std::string& text) {
    return find_option("rtc")->apply(bench_.machine(), text);
  }
  i64 time_of_new_clock() {
    auto& device = bench_.add("mc146818rtc");
    clock_ = dynamic_cast<hw::Mc146818*>(&device);
    return clock_->time();
  }
  static void advance(Clock& clock, i64 seconds) {
    clock.advance_to(clock.now_ns() + seconds * kNsPerSecond);
  }

  Bench bench_;
  hw::Mc146818* clock_{};
};

TEST_F(RtcOption, WithoutItTheClockShowsAndFollowsTheHosts) {
  EXPECT_EQ(time_of_new_clock(), kHostTime);
  advance(bench_.machine().host_clock(), kMinute);
  EXPECT_EQ(clock_->time(), kHostTime + kMinute);
}

TEST_F(RtcOption, ADateIsWhereItBegins) {
  ASSERT_TRUE(option("base=2006-06-17T16:01:21"));
  EXPECT_EQ(time_of_new_clock(), 1'150'560'081);
  advance(bench_.machine().host_clock(), kMinute);
  EXPECT_EQ(clock_->time(), 1'150'560'081 + kMinute);
}

TEST_F(RtcOption, ADayBeginsAtMidnight) {
  ASSERT_TRUE(option("base=2006-06-17"));
  EXPECT_EQ(time_of_new_clock(), 1'150'502'400);
}

TEST_F(RtcOption, ByTheGuestsClockItStandsWhenTheGuestDoes) {
  ASSERT_TRUE(option("clock=vm"));
  EXPECT_EQ(time_of_new_clock(), kHostTime);
  advance(bench_.machine().host_clock(), kMinute);
  EXPECT_EQ(clock_->time(), kHostTime);
  advance(bench_.machine().virtual_clock(), kMinute);
  EXPECT_EQ(clock_->time(), kHostTime + kMinute);
}

TEST_F(RtcOption, DriftfixIsTheClocksLostTickPolicy) {
  ASSERT_TRUE(option("base=utc,driftfix=slew"));
  Device& device = bench_.add("mc146818rtc");
  EXPECT_EQ(std::get<std::string>(*device.get("lost_tick_policy")), "slew");
}

TEST_F(RtcOption, WrongValuesAreNamed) {
  EXPECT_THAT(option("base=tomorrow").error().message(), testing::HasSubstr("base=tomorrow"));
  EXPECT_THAT(option("clock=sun").error().message(), testing::HasSubstr("clock=sun"));
}

}  // namespace
}  // namespace rhea::test
