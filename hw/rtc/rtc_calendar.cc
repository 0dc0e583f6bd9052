// SPDX-License-Identifier: GPL-2.0-or-later
// The time registers of an MC146818: what they mean and how they go on.
#include "hw/rtc/rtc_calendar.h"

#include <algorithm>
#include <chrono>

namespace rhea::hw {
namespace {

namespace chrono = std::chrono;

constexpr i64 kMinute = 60;
constexpr i64 kHour = 3600;
constexpr i64 kDay = 86400;
// The calendar's arithmetic holds far beyond; what a guest can write stays inside.
constexpr i64 kEarliest = -62'135'596'800;  // year 1
constexpr i64 kLatest = 900'000'000'000;    // year 30489

constexpr u8 kAnyAlarm = 0xc0;  // "don't care" codes have both high bits set
constexpr u8 kPm = 0x80;

i64 floor_div(i64 a, i64 b) { return a / b - (a % b < 0 ? 1 : 0); }

unsigned decode(u8 raw, RtcFormat format) {
  return format.binary ? raw : (raw >> 4) * 10u + (raw & 15u);
}

u8 encode(unsigned value, RtcFormat format) {
  return static_cast<u8>(format.binary ? value : value / 10 % 10 << 4 | value % 10);
}

unsigned decode_hour(u8 raw, RtcFormat format) {
  if (format.hours24) return decode(raw, format);
  return decode(raw & 0x7f, format) % 12 + ((raw & kPm) != 0 ? 12 : 0);
}

u8 encode_hour(unsigned hour, RtcFormat format) {
  if (format.hours24) return encode(hour, format);
  const u8 on_dial = encode(hour % 12 == 0 ? 12 : hour % 12, format);
  return static_cast<u8>(on_dial | (hour >= 12 ? kPm : 0));
}

bool alarm_matches(u8 alarm, u8 value) { return alarm >= kAnyAlarm || alarm == value; }

template <std::size_t N, class Encode>
std::array<bool, N> matches(u8 alarm, Encode encode_value) {
  std::array<bool, N> found{};
  for (unsigned value = 0; value < N; ++value)
    found[value] = alarm_matches(alarm, encode_value(value));
  return found;
}

}  // namespace

i64 rtc_seconds(const RtcMemory& memory, RtcFormat format) {
  const auto field = [&](RtcRegister index) { return decode(memory[index], format); };
  const int year = format.base_year + static_cast<int>(field(kRtcYear) + field(kRtcCentury) * 100);
  // Months and days beyond the end carry over, as all others do.
  const auto months = static_cast<int>(field(kRtcMonth)) - 1;
  const chrono::year_month first = chrono::year(year) / chrono::January + chrono::months(months);
  const i64 days = chrono::sys_days(first / 1).time_since_epoch().count() + field(kRtcDay) - 1;
  return days * kDay + decode_hour(memory[kRtcHours], format) * kHour +
         field(kRtcMinutes) * kMinute + field(kRtcSeconds);
}

void rtc_set_seconds(RtcMemory& memory, RtcFormat format, i64 seconds) {
  memory[kRtcDayOfWeek] = 1;
  // The epoch was a Thursday, the fifth day.
  rtc_move(memory, format, -4 * kDay, std::clamp(seconds, kEarliest, kLatest));
}

void rtc_move(RtcMemory& memory, RtcFormat format, i64 before, i64 after) {
  after = std::clamp(after, kEarliest, kLatest);
  const i64 day = floor_div(after, kDay);
  const i64 in_day = after - day * kDay;
  const chrono::year_month_day date{chrono::sys_days(chrono::days(day))};
  const auto set = [&](RtcRegister index, i64 value) {
    memory[index] = encode(static_cast<unsigned>(value), format);
  };
  set(kRtcSeconds, in_day % 60);
  set(kRtcMinutes, in_day / kMinute % 60);
  memory[kRtcHours] = encode_hour(static_cast<unsigned>(in_day / kHour), format);
  set(kRtcDay, unsigned{date.day()});
  set(kRtcMonth, unsigned{date.month()});
  const int year = std::max(int{date.year()} - format.base_year, 0);
  set(kRtcYear, year % 100);
  set(kRtcCentury, year / 100);
  const i64 moved = day - floor_div(before, kDay);
  const i64 weekday = i64{decode(memory[kRtcDayOfWeek], format)} - 1 + moved;
  set(kRtcDayOfWeek, weekday - floor_div(weekday, 7) * 7 + 1);
}

std::optional<i64> rtc_next_alarm(const RtcMemory& memory, RtcFormat format, i64 after) {
  const auto number = [&](unsigned value) { return encode(value, format); };
  const auto seconds = matches<60>(memory[kRtcSecondsAlarm], number);
  const auto minutes = matches<60>(memory[kRtcMinutesAlarm], number);
  const auto hours = matches<24>(memory[kRtcHoursAlarm],
                                 [&](unsigned value) { return encode_hour(value, format); });
  const auto first_second = std::ranges::find(seconds, true);
  if (first_second == seconds.end() || std::ranges::find(minutes, true) == minutes.end())
    return std::nullopt;
  const i64 start = after + 1;
  const i64 first_hour = floor_div(start, kHour);
  // The rest of this hour, then whole hours until this one comes again tomorrow.
  for (i64 hour = first_hour; hour <= first_hour + 24; ++hour) {
    if (!hours[static_cast<std::size_t>(hour - floor_div(hour, 24) * 24)]) continue;
    for (i64 at = std::max(start, hour * kHour); at < (hour + 1) * kHour; ++at) {
      const i64 in_hour = at - hour * kHour;
      if (minutes[static_cast<std::size_t>(in_hour / 60)] &&
          seconds[static_cast<std::size_t>(in_hour % 60)])
        return at;
    }
  }
  return std::nullopt;
}

}  // namespace rhea::hw
