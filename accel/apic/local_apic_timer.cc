// SPDX-License-Identifier: GPL-2.0-or-later
// The local APIC's timer (SDM vol. 3, 11.5.4).
#include "accel/apic/apic_bus.h"
#include "accel/apic/local_apic.h"

#include <algorithm>

namespace rhea::apic {
namespace {

/// The bus clock that the timer divides: 1 GHz, as KVM's.
constexpr i64 kTickNs = 1;

/// A periodic timer comes no more often, as KVM's: many of a few nanoseconds would leave the main
/// loop time for nothing else. What the count shows is not slowed.
constexpr i64 kLeastPeriodNs = 200'000;

}  // namespace

// Bits 3, 1 and 0: 2 to 128, then 1.
unsigned LocalApic::divisor_shift() const { return (((divide_ & 3) | (divide_ >> 1 & 4)) + 1) & 7; }

// With the lock held.
u32 LocalApic::current_count() const {
  if (!counting_ || timer_mode() == TimerMode::Deadline) return 0;
  const u64 passed =
      static_cast<u64>((clock_->now_ns() - count_start_ns_) / kTickNs) >> divisor_shift();
  if (timer_mode() == TimerMode::Periodic)
    return static_cast<u32>(initial_count_ - passed % initial_count_);
  return passed >= initial_count_ ? 0 : static_cast<u32>(initial_count_ - passed);
}

void LocalApic::start_timer(u32 count) {
  i64 expiry = -1;
  {
    const std::lock_guard lock(mutex_);
    if (timer_mode() == TimerMode::Deadline) return;
    initial_count_ = count;
    counting_ = count != 0;
    if (counting_) expiry = go_on_from(count);
  }
  if (expiry >= 0)
    timer_.arm(expiry);
  else
    timer_.cancel();
}

// With the lock held.
i64 LocalApic::period_ns() const { return (i64{initial_count_} << divisor_shift()) * kTickNs; }

// The first time from `expiry` on that does not occupy the host. With the lock held.
i64 LocalApic::not_too_soon(i64 expiry) const {
  if (timer_mode() != TimerMode::Periodic || period_ns() >= kLeastPeriodNs) return expiry;
  return std::max(expiry, clock_->now_ns() + kLeastPeriodNs);
}

// The count goes on with `left` ticks of the divided clock; returns when it will be at zero. With
// the lock held.
i64 LocalApic::go_on_from(u32 left) {
  const i64 now = clock_->now_ns();
  const i64 passed = i64{initial_count_ - std::min(left, initial_count_)} << divisor_shift();
  count_start_ns_ = now - passed * kTickNs;
  return not_too_soon(now + (i64{left} << divisor_shift()) * kTickNs);
}

// One-shot and periodic are the same count, which goes on; the deadline is another (SDM vol. 3,
// 11.5.4.1).
void LocalApic::set_timer_entry(u32 value) {
  {
    const std::lock_guard lock(mutex_);
    const TimerMode before = timer_mode();
    const u32 left = current_count();
    lvt_[kTimer] = value;
    if (timer_mode() == before) return;
    if (before != TimerMode::Deadline && timer_mode() != TimerMode::Deadline) {
      if (left == 0)
        counting_ = false;
      else
        go_on_from(left);
      return;
    }
    initial_count_ = 0;
    counting_ = false;
    deadline_ = 0;
  }
  timer_.cancel();
}

void LocalApic::set_divide(u32 value) {
  i64 expiry = 0;
  {
    const std::lock_guard lock(mutex_);
    const u32 left = current_count();
    divide_ = value;
    if (left == 0) return;
    expiry = go_on_from(left);
  }
  timer_.arm(expiry);
}

void LocalApic::arm_deadline() {
  u64 deadline = 0;
  {
    const std::lock_guard lock(mutex_);
    deadline = deadline_;
  }
  if (deadline == 0) return timer_.cancel();
  const u64 now = processor_->time_stamp();
  if (deadline <= now) return timer_expired();
  const u128 ns = static_cast<u128>(deadline - now) * 1'000'000 / processor_->tsc_khz() + 1;
  constexpr u128 most = u128{1} << 62;
  timer_.arm_in(static_cast<i64>(ns < most ? ns : most / 2));
}

void LocalApic::time_stamp_moved() {
  if (timer_mode() == TimerMode::Deadline) arm_deadline();
}

void LocalApic::timer_expired() {
  i64 next = -1;
  {
    const std::lock_guard lock(mutex_);
    if (timer_mode() == TimerMode::Deadline) {
      if (deadline_ == 0) return;
      deadline_ = 0;
    } else if (timer_mode() == TimerMode::OneShot) {
      counting_ = false;
    } else if (counting_) {
      // However late this comes: the next end of a period from now on, not the ones missed.
      const i64 now = clock_->now_ns();
      next = not_too_soon(now + period_ns() - (now - count_start_ns_) % period_ns());
    }
  }
  if (next >= 0) timer_.arm(next);
  fire(kTimer);
}

}  // namespace rhea::apic
