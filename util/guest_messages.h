// SPDX-License-Identifier: GPL-2.0-or-later
// How many messages of each kind a guest gets into the log.
#pragma once

#include "rhea/util/message_limit.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace rhea {

/// A limit for each kind of message: a device, and the text its messages are made from. There are
/// at most kMostKinds; those that find no room share one limit. Not thread-safe.
class GuestMessages {
 public:
  using Clock = MessageLimit::Clock;
  static constexpr std::size_t kMostKinds = 256;
  static constexpr unsigned kBurst = 10;
  static constexpr Clock::duration kInterval = std::chrono::seconds(1);

  enum class Verdict {
    Say,
    SayLast,  ///< those like it that follow within the interval are held back
    HoldBack,
  };
  Verdict pass(std::string_view device, std::string_view format, Clock::time_point now);
  /// A line for each kind of which messages were held back and may be said again.
  std::string settle(Clock::time_point now);
  /// The same for all kinds, whether or not they may be said again.
  std::string settle_all() { return settle(Clock::time_point::max()); }

 private:
  /// Where a format's text lies stands for it: few messages are as cheap to tell apart.
  using Kind = std::pair<const char*, std::string>;
  struct Limit {
    std::string_view format;
    MessageLimit limit{kInterval, kBurst};
  };
  Limit& limit_of(std::string_view device, std::string_view format, Clock::time_point now);

  std::map<Kind, Limit> kinds_;
  u64 held_back_{0};  ///< in all kinds
};

}  // namespace rhea
