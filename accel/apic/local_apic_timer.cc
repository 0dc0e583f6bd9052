// SPDX-License-Identifier: GPL-2.0-or-later
// The local APIC's timer (SDM vol. 3, 11.5.4), and its state in snapshots.
#include "accel/apic/apic_bus.h"
#include "accel/apic/local_apic.h"

#include <algorithm>
#include <cstring>

namespace rhea::apic {
namespace {

/// The bus clock that the timer divides: 1 GHz, as KVM's.
constexpr i64 kTickNs = 1;
constexpr std::size_t kPageBytes = 1024;

template <class T>
void put(std::vector<u8>& page, unsigned offset, T value) {
  std::memcpy(page.data() + offset, &value, sizeof value);
}
u32 get(const std::vector<u8>& page, unsigned offset) {
  u32 value = 0;
  std::memcpy(&value, page.data() + offset, sizeof value);
  return value;
}

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

// The count goes on with `left` ticks of the divided clock; returns when it will be at zero. With
// the lock held.
i64 LocalApic::go_on_from(u32 left) {
  const i64 now = clock_->now_ns();
  const i64 passed = i64{initial_count_ - std::min(left, initial_count_)} << divisor_shift();
  count_start_ns_ = now - passed * kTickNs;
  return now + (i64{left} << divisor_shift()) * kTickNs;
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
      const i64 period = (i64{initial_count_} << divisor_shift()) * kTickNs;
      const i64 now = clock_->now_ns();
      next = now + period - (now - count_start_ns_) % period;
    }
  }
  if (next >= 0) timer_.arm(next);
  fire(kTimer);
}

// KVM_GET_LAPIC's page: the registers at their offsets.
void LocalApic::save(x86::CpuState& state) {
  state.apic_base = base();
  state.lapic.assign(kPageBytes, 0);
  const std::lock_guard lock(mutex_);
  auto& page = state.lapic;
  for (unsigned offset = 0x20; offset < 0x3f0; offset += 16) {
    const u32 errors = pending_esr_;
    put(page, offset, read_locked(offset));
    pending_esr_ = errors;
  }
  // The kernel keeps the count itself at the start of what follows the registers' last use.
  put(page, 0x3f0, static_cast<u32>(pending_esr_));
  put(page, 0x3f4, static_cast<u32>(deadline_));
  put(page, 0x3f8, static_cast<u32>(deadline_ >> 32));
}

void LocalApic::load(const x86::CpuState& state) {
  base_ = state.apic_base;
  reset();
  if (state.lapic.size() < kPageBytes) return;
  const auto& page = state.lapic;
  i64 expiry = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!x2apic()) xapic_id_ = get(page, 0x20);
    tpr_ = static_cast<u8>(get(page, 0x80));
    ldr_ = get(page, 0xd0);
    dfr_ = get(page, 0xe0);
    svr_ = get(page, 0xf0) & 0x11ff;
    for (unsigned word = 0; word < 8; ++word) {
      isr_[word] = get(page, 0x100 + word * 16);
      tmr_[word] = get(page, 0x180 + word * 16);
      irr_[word] = get(page, 0x200 + word * 16);
    }
    isr_[0] &= 0xffff'0000;
    irr_[0] &= 0xffff'0000;
    esr_ = get(page, 0x280);
    icr_ = u64{get(page, 0x310)} << 32 | get(page, 0x300);
    for (unsigned lvt = kTimer; lvt < kLvts; ++lvt) lvt_[lvt] = get(page, 0x320 + lvt * 16);
    divide_ = get(page, 0x3e0) & 0xb;
    pending_esr_ = get(page, 0x3f0) & 0xff;
    initial_count_ = get(page, 0x380);
    deadline_ = u64{get(page, 0x3f8)} << 32 | get(page, 0x3f4);
    const u32 left = get(page, 0x390);
    counting_ = initial_count_ != 0 && left != 0;
    expiry = go_on_from(left);
    update();
  }
  if (timer_mode() == TimerMode::Deadline)
    arm_deadline();
  else if (counting_)
    timer_.arm(expiry);
  if (has_interrupt()) processor_->interrupt();
}

}  // namespace rhea::apic
