// SPDX-License-Identifier: GPL-2.0-or-later
// Little-endian bytes of firmware tables.
#pragma once

#include "rhea/util/types.h"

#include <span>
#include <string_view>
#include <vector>

namespace rhea::hw {

class TableWriter {
 public:
  TableWriter& byte(u64 v) { return number(v, 1); }
  TableWriter& word(u64 v) { return number(v, 2); }
  TableWriter& dword(u64 v) { return number(v, 4); }
  TableWriter& qword(u64 v) { return number(v, 8); }
  TableWriter& number(u64 value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) data.push_back(static_cast<u8>(value >> (8 * i)));
    return *this;
  }
  /// Text, padded with zeroes (or cut) to `width`.
  TableWriter& text(std::string_view text, std::size_t width, char pad = 0) {
    for (std::size_t i = 0; i < width; ++i)
      data.push_back(static_cast<u8>(i < text.size() ? text[i] : pad));
    return *this;
  }
  TableWriter& bytes(std::span<const u8> more) {
    data.insert(data.end(), more.begin(), more.end());
    return *this;
  }
  TableWriter& zeroes(std::size_t count) {
    data.resize(data.size() + count);
    return *this;
  }
  void patch(std::size_t offset, u64 value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) data[offset + i] = static_cast<u8>(value >> (8 * i));
  }
  std::size_t size() const { return data.size(); }

  std::vector<u8> data;
};

}  // namespace rhea::hw
