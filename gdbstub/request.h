// SPDX-License-Identifier: GPL-2.0-or-later
// A packet's text, read from left to right.
#pragma once

#include "rhea/util/types.h"

#include <optional>
#include <string_view>

namespace rhea::gdbstub {

/// Which processors a thread id of the protocol means. There is one process, 1; the thread n + 1 is
/// CPU n.
struct ThreadId {
  enum class Which : u8 { Any, All, One };
  Which which{Which::Any};
  unsigned cpu{};
  bool means(unsigned index) const { return which != Which::One || cpu == index; }
};

class Request {
 public:
  explicit Request(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  std::string_view rest() const { return text_; }
  /// Takes it if it is what comes next.
  bool skip(std::string_view expected);
  /// Up to `end`, which is taken, too; all there is without one.
  std::string_view until(char end);
  /// Hexadecimal digits; nullopt: there are none, or more than fit.
  std::optional<u64> number();
  /// Both, with `between` between them.
  struct Pair {
    u64 first{}, second{};
  };
  std::optional<Pair> pair(char between);
  /// "p1.2", "2", "-1" (all), "0" (any); nullopt: no thread of `count`, or another process's.
  std::optional<ThreadId> thread(unsigned count);

 private:
  std::optional<i64> signed_number();
  std::string_view text_;
};

}  // namespace rhea::gdbstub
