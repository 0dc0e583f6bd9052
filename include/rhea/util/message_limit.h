// SPDX-License-Identifier: GPL-2.0-or-later
// Messages that a guest or a peer can cause, held to a few.
#pragma once

#include "rhea/util/types.h"

#include <chrono>
#include <optional>

namespace rhea {

/// A member of whoever says something: lets one message through, then none for `interval`. Not
/// thread-safe; times are the host's steady clock.
class MessageLimit {
 public:
  using Clock = std::chrono::steady_clock;
  explicit MessageLimit(Clock::duration interval = std::chrono::seconds(10))
      : interval_(interval) {}

  /// How many were held back since the last one, when this one may be said.
  std::optional<u64> pass(Clock::time_point now = Clock::now()) {
    if (last_ && now - *last_ < interval_) {
      ++held_back_;
      return std::nullopt;
    }
    last_ = now;
    const u64 held_back = held_back_;
    held_back_ = 0;
    return held_back;
  }

 private:
  Clock::duration interval_;
  std::optional<Clock::time_point> last_;
  u64 held_back_{0};
};

}  // namespace rhea
