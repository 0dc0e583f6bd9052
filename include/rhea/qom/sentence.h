// SPDX-License-Identifier: GPL-2.0-or-later
// What is wrong with a declaration, in a sentence that the compiler shows.
#pragma once

#include "rhea/util/types.h"

#include <array>
#include <string_view>

namespace rhea::detail {

/// A text that can be a template's argument, so that compilers show it.
struct Sentence {
  std::array<char, 160> text{};
  unsigned length{0};

  constexpr bool empty() const { return length == 0; }
  constexpr std::string_view view() const { return {text.data(), length}; }
  constexpr Sentence& add(std::string_view more) {
    for (const char c : more)
      if (length + 1 < text.size()) text[length++] = c;
    return *this;
  }
  constexpr Sentence& add(u64 number, unsigned base = 10) {
    std::array<char, 20> digits{};
    unsigned count = 0;
    do digits[count++] = "0123456789abcdef"[number % base];
    while ((number /= base) != 0);
    if (base == 16) add("0x");
    while (count != 0) add({&digits[--count], 1});
    return *this;
  }
};

}  // namespace rhea::detail
