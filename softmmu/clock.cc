// SPDX-License-Identifier: GPL-2.0-or-later
// Clocks and their timers.
#include "rhea/softmmu/clock.h"

#include "rhea/util/lock.h"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <limits>

namespace rhea {
namespace {

i64 read_host_clock(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return i64{t.tv_sec} * kNsPerSecond + t.tv_nsec;
}

}  // namespace

bool Clock::Order::operator()(const Timer* a, const Timer* b) const {
  return a->expiry_ != b->expiry_ ? a->expiry_ < b->expiry_ : a->sequence_ < b->sequence_;
}

Clock::Clock(Kind kind, std::function<void()> deadline_changed)
    : kind_(kind), deadline_changed_(std::move(deadline_changed)) {
  if (kind_ != Kind::Virtual) return;
  running_ = false;  // until the guest first runs
  stopped_at_ = 0;
}

i64 Clock::host_ns() const {
  return read_host_clock(kind_ == Kind::Host ? CLOCK_REALTIME : CLOCK_MONOTONIC);
}

i64 Clock::now_ns() const {
  if (!running_.load(std::memory_order_acquire)) return stopped_at_.load(std::memory_order_relaxed);
  return host_ns() + offset_.load(std::memory_order_relaxed);
}

u64 Clock::ticks(u64 hz) const {
  return static_cast<u64>(static_cast<u128>(now_ns()) * hz / static_cast<u64>(kNsPerSecond));
}

void Clock::stop() {
  if (manual_ || !running_) return;
  stopped_at_ = now_ns();
  running_ = false;
}

void Clock::start() {
  if (manual_ || running_) return;
  offset_ = stopped_at_ - host_ns();
  running_.store(true, std::memory_order_release);
  deadline_changed_();
}

void Clock::set_manual(i64 now_ns) {
  manual_ = true;
  running_ = false;
  stopped_at_ = now_ns;
}

void Clock::set_ns(i64 now_ns) {
  if (running_)
    offset_ = now_ns - host_ns();
  else
    stopped_at_ = now_ns;
  deadline_changed_();
}

void Clock::advance_to(i64 now_ns) {
  const std::unique_lock lock(mutex_);
  advancing_ = true;
  for (;;) {
    if (armed_.empty() || (*armed_.begin())->expiry_ > now_ns) break;
    Timer* timer = *armed_.begin();
    stopped_at_ = std::max<i64>(stopped_at_, timer->expiry_);
    armed_.erase(armed_.begin());
    timer->expiry_ = -1;
    timer->due_ = true;
    mutex_.unlock();
    expire(*timer);
    mutex_.lock();
  }
  advancing_ = false;
  stopped_at_ = std::max<i64>(stopped_at_, now_ns);
}

i64 Clock::next_expiry_ns() const {
  const std::lock_guard lock(mutex_);
  return armed_.empty() ? -1 : (*armed_.begin())->expiry_;
}

void Clock::run_expired() {
  if (manual_ || !running_) return;
  const i64 now = now_ns();
  const std::unique_lock lock(mutex_);
  // Timers that a callback arms anew wait for the next round, or one with a zero period would keep
  // us here.
  const u64 last_sequence = sequence_;
  while (!armed_.empty()) {
    Timer* timer = *armed_.begin();
    if (timer->expiry_ > now || timer->sequence_ > last_sequence) break;
    armed_.erase(armed_.begin());
    timer->expiry_ = -1;
    timer->due_ = true;
    mutex_.unlock();
    expire(*timer);
    mutex_.lock();
  }
}

void Clock::expire(Timer& timer) {
  // A copy: the callback may end its timer, or give it another one.
  const auto expired = timer.expired_;
  LockDomain* const domain = timer.owner_domain();
  if (domain == nullptr) return expired();
  const DomainGuard domain_guard(domain);
  {
    // Whoever had the domain may have armed or cancelled it.
    const std::lock_guard lock(mutex_);
    if (!std::exchange(timer.due_, false)) return;
  }
  expired();
}

void Timer::init(Clock& clock, std::function<void()> expired) {
  cancel();
  clock_ = &clock;
  expired_ = std::move(expired);
}

void Timer::arm_in(i64 delay_ns) {
  if (clock_ == nullptr) used_before_init("Timer");
  i64 expiry = 0;
  if (__builtin_add_overflow(clock_->now_ns(), delay_ns, &expiry))
    expiry = delay_ns < 0 ? 0 : std::numeric_limits<i64>::max();
  arm(expiry);
}

void Timer::arm(i64 expiry_ns) {
  if (clock_ == nullptr) used_before_init("Timer");
  bool first = false;
  {
    const std::lock_guard lock(clock_->mutex_);
    if (expiry_ >= 0) clock_->armed_.erase(this);
    expiry_ = std::max<i64>(expiry_ns, 0);
    due_ = false;
    // Time must move between two expiries of one timer, or advance_to would never end.
    if (clock_->advancing_ && expiry_ <= clock_->stopped_at_) expiry_ = clock_->stopped_at_ + 1;
    sequence_ = ++clock_->sequence_;
    clock_->armed_.insert(this);
    first = *clock_->armed_.begin() == this;
  }
  if (first && !clock_->manual_) clock_->deadline_changed_();
}

void Timer::cancel() {
  if (clock_ == nullptr) return;
  const std::lock_guard lock(clock_->mutex_);
  if (expiry_ >= 0) clock_->armed_.erase(this);
  expiry_ = -1;
  due_ = false;
}

bool Timer::armed() const { return expiry_ns() >= 0; }

i64 Timer::expiry_ns() const {
  if (clock_ == nullptr) return -1;
  const std::lock_guard lock(clock_->mutex_);
  return expiry_;
}

void StateCodec<Timer>::save(const Timer& timer, StateWriter& out) {
  out.number(static_cast<u64>(timer.expiry_ns()), 8);
}

Value StateCodec<Timer>::show(const Timer& timer) {
  return timer.armed() ? fmt::format("at {} ns", timer.expiry_ns()) : std::string("not armed");
}

Result<> StateCodec<Timer>::load(Timer& timer, StateReader& in, const StateField& field) {
  const auto expiry = static_cast<i64>(TRY(in.number(8)));
  if (!timer.initialised()) return fail("timer '{}' is not in use here", field.name);
  if (expiry < 0)
    timer.cancel();
  else
    timer.arm(expiry);
  return {};
}

}  // namespace rhea
