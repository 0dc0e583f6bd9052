// SPDX-License-Identifier: GPL-2.0-or-later
// Time as devices see it: clocks and timers on them. Times are nanoseconds.
#pragma once

#include "rhea/qom/member.h"
#include "rhea/qom/state.h"
#include "rhea/util/types.h"

#include <atomic>
#include <functional>
#include <mutex>
#include <set>

namespace rhea {

inline constexpr i64 kNsPerSecond = 1'000'000'000;

class Timer;

/// A source of time with its timers. now_ns and arming are thread-safe; timers fire on the main
/// loop, under the machine's lock.
class Clock {
 public:
  enum class Kind : u8 {
    Virtual,   ///< stands still while the guest is paused; guest-visible timers
    Host,      ///< the host's wall clock, UTC since 1970; real-time clocks
    Realtime,  ///< the host's monotonic clock; user interfaces
  };

  Clock(Kind kind, std::function<void()> deadline_changed);
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

  i64 now_ns() const;
  /// Ticks of `hz` since 0, without overflow.
  u64 ticks(u64 hz) const;
  /// Virtual clock: stops and goes on with the guest.
  void stop();
  void start();
  /// From now on time moves only by set_ns (tests, qtest). Wall time is not read again.
  void set_manual(i64 now_ns);
  bool manual() const { return manual_; }
  /// Whether it moves by itself now.
  bool ticking() const { return running_ && !manual_; }
  /// Manual clock: moves time forward to `now_ns`, firing the timers on the way in order, each at
  /// its own time.
  void advance_to(i64 now_ns);
  /// Restores the time of a snapshot.
  void set_ns(i64 now_ns);

  /// Earliest expiry, or -1.
  i64 next_expiry_ns() const;
  /// Fires what is due.
  void run_expired();

 private:
  friend class Timer;
  struct Order {
    bool operator()(const Timer* a, const Timer* b) const;
  };
  i64 host_ns() const;
  void expire(Timer& timer);

  Kind kind_;
  std::function<void()> deadline_changed_;
  mutable std::mutex mutex_;
  std::set<Timer*, Order> armed_;
  std::atomic<bool> manual_{false};
  std::atomic<bool> running_{true};
  std::atomic<i64> offset_{0};  ///< running: now = host + offset
  std::atomic<i64> stopped_at_{0};
  u64 sequence_{0};
  bool advancing_{false};
};

/// Calls back once when its clock reaches the expiry. A member of the device; cancelled when that
/// is unrealized, and by its destructor. Armed and cancelled from any thread; where that holds the
/// device's domain, no call comes that was due before.
class Timer final : public ObjectMember {
 public:
  Timer() = default;
  ~Timer() override { cancel(); }

  void init(Clock& clock, std::function<void()> expired);
  bool initialised() const { return clock_ != nullptr; }
  /// (Re)arms at an absolute time of the clock; a time in the past fires soon.
  void arm(i64 expiry_ns);
  /// A delay beyond the end of time, such as a guest may ask for, is the end of time.
  void arm_in(i64 delay_ns);
  void cancel();
  bool armed() const;
  /// -1 when not armed.
  i64 expiry_ns() const;

 protected:
  void end() override { cancel(); }

 private:
  friend class Clock;
  Clock* clock_{};
  std::function<void()> expired_;
  i64 expiry_{-1};
  u64 sequence_{0};
  bool due_{false};  ///< expired, and nobody was called yet
};

/// A timer's state is its expiry. Loading arms or cancels it (the timer must be initialised).
template <>
struct StateCodec<Timer> {
  static void save(const Timer& timer, StateWriter& out);
  static Result<> load(Timer& timer, StateReader& in, const StateField& field);
  static Value show(const Timer& timer);
};

}  // namespace rhea
