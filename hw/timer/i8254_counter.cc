// SPDX-License-Identifier: GPL-2.0-or-later
// One counter of an 8254 as a function of time, without its wiring.
#include "hw/timer/i8254_counter.h"

#include <algorithm>
#include <limits>

namespace rhea::hw {
namespace {

constexpr u64 kNever = std::numeric_limits<u64>::max();

u32 from_bcd(u16 raw) {
  return (raw >> 12) * 1000u + (raw >> 8 & 15) * 100u + (raw >> 4 & 15) * 10u + (raw & 15);
}

u16 to_bcd(u32 value) {
  return static_cast<u16>(value / 1000 % 10 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 |
                          value % 10);
}

}  // namespace

void I8254Counter::describe(StateFields<I8254Counter>& s) {
  s.state("control", &I8254Counter::control_).range(0, 0x3f);
  s.state("mode", &I8254Counter::mode_).range(0, 5);
  s.state("access", &I8254Counter::access_).range(1, 3);
  s.state("bcd", &I8254Counter::bcd_);
  s.state("gate", &I8254Counter::gate_);
  s.state("count-register", &I8254Counter::count_register_);
  s.state("write-low", &I8254Counter::write_low_);
  s.state("element", &I8254Counter::element_);
  s.state("write-high-next", &I8254Counter::write_high_next_);
  s.state("read-high-next", &I8254Counter::read_high_next_);
  s.state("counted", &I8254Counter::counted_);
  s.state("loaded", &I8254Counter::loaded_);
  s.state("low-first", &I8254Counter::low_first_);
  s.state("before-load", &I8254Counter::before_load_);
  s.state("reload-pending", &I8254Counter::reload_pending_);
  s.state("reload-at", &I8254Counter::reload_at_);
  s.state("start", &I8254Counter::start_);
  s.state("frozen", &I8254Counter::frozen_);
  s.state("stopped", &I8254Counter::stopped_);
  s.state("seen", &I8254Counter::seen_);
  s.state("count-latched", &I8254Counter::count_latched_);
  s.state("status-latched", &I8254Counter::status_latched_);
  s.state("count-latch", &I8254Counter::count_latch_);
  s.state("status-latch", &I8254Counter::status_latch_);
}

void I8254Counter::reset(u64 now, bool gate) {
  *this = I8254Counter();
  seen_ = now;
  gate_ = gate;
  write_control(now, 0x36);
  write_count(now, 0);
  write_count(now, 0);
}

void I8254Counter::write_control(u64 now, u8 control) {
  advance(now);
  control_ = control & 0x3f;
  const u8 mode = control >> 1 & 7;
  mode_ = mode > 5 ? mode & 3 : mode;
  access_ = static_cast<Access>(control >> 4 & 3);
  bcd_ = (control & 1) != 0;
  count_register_ = 0;
  write_high_next_ = false;
  read_high_next_ = false;
  counted_ = false;
  loaded_ = false;
  reload_pending_ = false;
  stopped_ = false;
  count_latched_ = false;
  status_latched_ = false;
}

void I8254Counter::write_count(u64 now, u8 value) {
  advance(now);
  if (access_ == Access::Both && !write_high_next_) {
    write_high_next_ = true;
    write_low_ = value;
    // Mode 0 stops at the first byte, and OUT goes low.
    if (mode_ == 0) loaded_ = false;
    return;
  }
  write_high_next_ = false;
  switch (access_) {
    case Access::Both: count_register_ = static_cast<u16>(value << 8 | write_low_); break;
    case Access::High: count_register_ = static_cast<u16>(value << 8); break;
    default: count_register_ = value; break;
  }
  counted_ = true;
  count_written(now);
}

// The count register is complete: when the counting element takes it depends on the mode.
void I8254Counter::count_written(u64 now) {
  if (gate_triggers()) {
    reload_pending_ = true;
    reload_at_ = kNever;
  } else if (!periodic() || !loaded_) {
    load(now + 1);
    if (mode_ == 0) before_load_ = false;
  } else if (now < start_) {
    element_ = count_register_;
  } else {
    reload_pending_ = true;
    reload_at_ = stopped_ ? kNever : next_reload(now);
  }
}

// The counting element takes the count register at the pulse `at`.
void I8254Counter::load(u64 at) {
  before_load_ = output(at - 1);
  element_ = count_register_;
  start_ = at;
  loaded_ = true;
  low_first_ = false;
  reload_pending_ = false;
  stopped_ = !gate_ && !gate_triggers();
  frozen_ = 0;
}

void I8254Counter::set_gate(u64 now, bool high) {
  advance(now);
  if (high == gate_) return;
  const bool triggers = high && counted_ && (gate_triggers() || periodic());
  if (triggers) {
    gate_ = high;
    load(now + 1);
    if (periodic()) before_load_ = true;
  } else if (!gate_triggers() && loaded_) {
    if (!high) frozen_ = elapsed(now);
    if (high) start_ = now - frozen_;
    stopped_ = !high;
  }
  gate_ = high;
}

bool I8254Counter::advance(u64 now) {
  if (now <= seen_) return false;
  bool rose = false;
  if (reload_pending_ && now >= reload_at_) {
    rose = rose_between(seen_, reload_at_);
    const u64 at = reload_at_;
    const bool high = output(at);
    load(at);
    low_first_ = !high;
    seen_ = at;
  }
  rose = rose_between(seen_, now) || rose;
  seen_ = now;
  return rose;
}

u64 I8254Counter::elapsed(u64 now) const {
  if (stopped_) return frozen_;
  return now < start_ ? 0 : now - start_;
}

// Modes 2 and 3 have no meaning for a count of 1.
u32 I8254Counter::period() const {
  const u32 count = bcd_ ? from_bcd(element_) : element_;
  if (count == 0) return modulus();
  return periodic() ? std::max(count, 2u) : count;
}

// Mode 3: the place within a period that begins with the high half.
u32 I8254Counter::square_position(u64 clocks) const {
  return static_cast<u32>((clocks + (low_first_ ? high_part() : 0)) % period());
}

bool I8254Counter::output(u64 now) const {
  if (!loaded_) return mode_ != 0;
  if (periodic() && !gate_) return true;
  if (now < start_) return before_load_;
  const u64 clocks = elapsed(now);
  switch (mode_) {
    case 0:
    case 1: return clocks >= period();
    case 2: return clocks % period() != period() - 1;
    case 3: return square_position(clocks) < high_part();
    default: return clocks != period();
  }
}

std::optional<I8254Counter::Edges> I8254Counter::rises() const {
  if (!loaded_ || stopped_) return std::nullopt;
  const u32 count = period();
  switch (mode_) {
    case 0:
    case 1: return Edges{.first = start_ + count, .period = 0};
    case 2: return Edges{.first = start_ + count, .period = count};
    case 3: return Edges{.first = start_ + count - (low_first_ ? high_part() : 0), .period = count};
    default: return Edges{.first = start_ + count + 1, .period = 0};
  }
}

bool I8254Counter::rose_between(u64 after, u64 until) const {
  const auto edges = rises();
  if (!edges || until < edges->first) return false;
  if (edges->period == 0) return edges->first > after;
  return until - (until - edges->first) % edges->period > after;
}

u64 I8254Counter::next_reload(u64 now) const {
  const u64 clocks = elapsed(now);
  if (mode_ == 2) return now + period() - clocks % period();
  const u32 position = square_position(clocks);
  return now + (position < high_part() ? high_part() : period()) - position;
}

std::optional<u64> I8254Counter::next_rise(u64 now) const {
  const auto up = rises();
  if (!up) return std::nullopt;
  if (up->first <= now && up->period == 0) return std::nullopt;
  const u64 rise =
      up->first > now ? up->first : up->first + ((now - up->first) / up->period + 1) * up->period;
  return reload_pending_ ? std::min(rise, reload_at_) : rise;
}

// What a read of the counting element gives.
u16 I8254Counter::live_count(u64 now) const {
  if (!loaded_) return count_register_;
  const u64 clocks = elapsed(now);
  u64 value = 0;
  if (mode_ == 2) {
    value = period() - clocks % period();
  } else if (mode_ == 3) {
    const u32 position = square_position(clocks);
    const u32 into_half = position < high_part() ? position : position - high_part();
    value = (period() & ~1u) - 2 * into_half;
  } else {
    value = period() + modulus() - clocks % modulus();
  }
  value %= modulus();
  return bcd_ ? to_bcd(static_cast<u32>(value)) : static_cast<u16>(value);
}

void I8254Counter::latch_count(u64 now) {
  advance(now);
  if (count_latched_) return;
  count_latched_ = true;
  count_latch_ = live_count(now);
}

void I8254Counter::latch_status(u64 now) {
  advance(now);
  if (status_latched_) return;
  status_latched_ = true;
  status_latch_ = static_cast<u8>(output(now) << 7 | null_count(now) << 6 | control_);
}

u8 I8254Counter::read(u64 now) {
  advance(now);
  if (status_latched_) {
    status_latched_ = false;
    return status_latch_;
  }
  const u16 count = count_latched_ ? count_latch_ : live_count(now);
  bool high = access_ == Access::High;
  if (access_ == Access::Both) {
    high = read_high_next_;
    read_high_next_ = !read_high_next_;
  }
  // A latched count is let go of with its last byte.
  if (high || access_ != Access::Both) count_latched_ = false;
  return static_cast<u8>(high ? count >> 8 : count);
}

}  // namespace rhea::hw
