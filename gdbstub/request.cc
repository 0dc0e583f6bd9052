// SPDX-License-Identifier: GPL-2.0-or-later
// A packet's text, read from left to right.
#include "gdbstub/request.h"

#include "gdbstub/hex.h"

namespace rhea::gdbstub {

bool Request::skip(std::string_view expected) {
  if (!text_.starts_with(expected)) return false;
  text_.remove_prefix(expected.size());
  return true;
}

std::string_view Request::until(char end) {
  const auto at = text_.find(end);
  const std::string_view taken = text_.substr(0, at);
  text_ = at == std::string_view::npos ? std::string_view() : text_.substr(at + 1);
  return taken;
}

std::optional<u64> Request::number() {
  u64 value = 0;
  std::size_t digits = 0;
  for (; digits < text_.size() && digit_value(text_[digits]) >= 0; ++digits) {
    if (value >> 60 != 0) return std::nullopt;
    value = value << 4 | static_cast<u64>(digit_value(text_[digits]));
  }
  if (digits == 0) return std::nullopt;
  text_.remove_prefix(digits);
  return value;
}

std::optional<Request::Pair> Request::pair(char between) {
  const auto first = number();
  if (!first || !skip({&between, 1})) return std::nullopt;
  const auto second = number();
  if (!second) return std::nullopt;
  return Pair{*first, *second};
}

std::optional<i64> Request::signed_number() {
  const bool negative = skip("-");
  const auto value = number();
  if (!value || *value > 0x7fff'ffff) return std::nullopt;
  return negative ? -static_cast<i64>(*value) : static_cast<i64>(*value);
}

std::optional<ThreadId> Request::thread(unsigned count) {
  i64 process = 1;
  if (skip("p")) {
    const auto given = signed_number();
    if (!given) return std::nullopt;
    process = *given;
    // A process without a thread: all of them.
    if (!skip(".")) {
      if (process > 1 || process < -1) return std::nullopt;
      return ThreadId{.which = ThreadId::Which::All};
    }
  }
  const auto thread = signed_number();
  if (!thread || process > 1 || process < -1 || *thread < -1) return std::nullopt;
  if (*thread == -1) return ThreadId{.which = ThreadId::Which::All};
  if (*thread == 0) return ThreadId{.which = ThreadId::Which::Any};
  if (*thread > count) return std::nullopt;
  return ThreadId{.which = ThreadId::Which::One, .cpu = static_cast<unsigned>(*thread - 1)};
}

}  // namespace rhea::gdbstub
