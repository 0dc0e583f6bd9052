// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers as SCSI has them: the most significant byte first.
#pragma once

#include "rhea/util/types.h"

#include <span>
#include <string_view>

namespace rhea::hw {

/// `size` bytes from `at` on; the caller knows that they are there.
inline u64 get_be(std::span<const u8> bytes, std::size_t at, unsigned size) {
  u64 value = 0;
  for (unsigned n = 0; n < size; ++n) value = value << 8 | bytes[at + n];
  return value;
}

inline void put_be(std::span<u8> bytes, std::size_t at, u64 value, unsigned size) {
  for (unsigned n = size; n-- > 0; value >>= 8) bytes[at + n] = static_cast<u8>(value);
}

/// Text in a field of `size` bytes, with blanks behind it.
inline void put_text(std::span<u8> bytes, std::size_t at, std::size_t size, std::string_view text) {
  for (std::size_t n = 0; n < size; ++n)
    bytes[at + n] = static_cast<u8>(n < text.size() ? text[n] : ' ');
}

}  // namespace rhea::hw
