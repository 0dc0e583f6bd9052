// SPDX-License-Identifier: GPL-2.0-or-later
// A text that is a decimal number and nothing else.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace rhea {

/// nullopt: something else, or a number that T has not. A minus is a sign where T has one.
template <std::integral T>
std::optional<T> decimal(std::string_view text) {
  T number{};
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc{} || end != last) return std::nullopt;
  return number;
}

}  // namespace rhea
