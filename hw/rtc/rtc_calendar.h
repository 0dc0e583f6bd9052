// SPDX-License-Identifier: GPL-2.0-or-later
// The time registers of an MC146818: what they mean and how they go on.
#pragma once

#include "rhea/util/types.h"

#include <array>
#include <optional>

namespace rhea::hw {

/// Indices of the time registers.
enum RtcRegister : u8 {
  kRtcSeconds = 0,
  kRtcSecondsAlarm = 1,
  kRtcMinutes = 2,
  kRtcMinutesAlarm = 3,
  kRtcHours = 4,
  kRtcHoursAlarm = 5,
  kRtcDayOfWeek = 6,
  kRtcDay = 7,
  kRtcMonth = 8,
  kRtcYear = 9,
  kRtcCentury = 0x32,
};

/// How numbers stand in them: register B's DM and 24/12, and the year that year 0 of century 0 is.
struct RtcFormat {
  bool binary{false};
  bool hours24{true};
  int base_year{0};
};

using RtcMemory = std::array<u8, 128>;

/// Seconds since 1970. Whatever the registers hold is understood as some time.
i64 rtc_seconds(const RtcMemory& memory, RtcFormat format);
/// Sets date, time and the day of the week.
void rtc_set_seconds(RtcMemory& memory, RtcFormat format, i64 seconds);
/// Moves date and time from `before` (what they show) to `after`; the day of the week, which a
/// guest counts as it likes, goes on by as many days.
void rtc_move(RtcMemory& memory, RtcFormat format, i64 before, i64 after);
/// The first time after `after` that the alarm registers match; nullopt when they never do.
std::optional<i64> rtc_next_alarm(const RtcMemory& memory, RtcFormat format, i64 after);

}  // namespace rhea::hw
