// SPDX-License-Identifier: GPL-2.0-or-later
// A real-time clock on the bench, its wall clock moved by hand.
#pragma once

#include "hw/rtc/mc146818.h"
#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {

class RtcBase : public testing::Test {
 protected:
  static constexpr i64 kStart = 1'709'164'799;  // Wednesday, 28 February 2024, 23:59:59 UTC
  static constexpr i64 kMs = 1'000'000;

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

}  // namespace rhea::test
