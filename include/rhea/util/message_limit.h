// SPDX-License-Identifier: GPL-2.0-or-later
// Messages that a guest or a peer can cause, held to a few.
#pragma once

#include "rhea/util/types.h"

#include <chrono>
#include <optional>
#include <utility>

namespace rhea {

/// A member of whoever says something: lets `burst` messages through, then none until `interval`
/// has passed since the first of them. Not thread-safe; times are the host's steady clock.
class MessageLimit {
 public:
  using Clock = std::chrono::steady_clock;
  explicit MessageLimit(Clock::duration interval = std::chrono::seconds(10), unsigned burst = 1)
      : interval_(interval), burst_(burst) {}

  /// How many were held back since the last one, when this one may be said.
  std::optional<u64> pass(Clock::time_point now = Clock::now()) {
    if (over(now)) {
      since_ = now;
      said_ = 0;
    }
    if (said_ == burst_) {
      ++held_back_;
      return std::nullopt;
    }
    ++said_;
    return std::exchange(held_back_, 0);
  }

  /// True once the messages after the first of a burst may be said again.
  bool over(Clock::time_point now) const { return !since_ || now - *since_ >= interval_; }
  /// Whether the next one is held back if it comes at once.
  bool full() const { return said_ == burst_; }
  u64 held_back() const { return held_back_; }
  /// For whoever has told how many were held back.
  void forget() { held_back_ = 0; }

 private:
  Clock::duration interval_;
  unsigned burst_;
  std::optional<Clock::time_point> since_;
  unsigned said_{0};
  u64 held_back_{0};
};

}  // namespace rhea
