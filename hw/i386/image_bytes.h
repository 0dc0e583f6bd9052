// SPDX-License-Identifier: GPL-2.0-or-later
// Little-endian numbers in images that nobody has checked.
#pragma once

#include "rhea/util/types.h"

#include <span>

namespace rhea::hw {

class ImageBytes {
 public:
  explicit ImageBytes(std::span<const u8> data) : data_(data) {}
  u64 size() const { return data_.size(); }
  bool has(u64 offset, u64 length) const {
    return offset <= data_.size() && length <= data_.size() - offset;
  }
  /// Zero where the image has ended.
  u64 number(u64 offset, unsigned bytes) const {
    if (!has(offset, bytes)) return 0;
    u64 value = 0;
    for (unsigned i = 0; i < bytes; ++i) value |= u64{data_[offset + i]} << (8 * i);
    return value;
  }
  u8 byte(u64 offset) const { return static_cast<u8>(number(offset, 1)); }
  u16 word(u64 offset) const { return static_cast<u16>(number(offset, 2)); }
  u32 dword(u64 offset) const { return static_cast<u32>(number(offset, 4)); }
  u64 qword(u64 offset) const { return number(offset, 8); }
  /// As much of the range as there is.
  std::span<const u8> part(u64 offset, u64 length) const {
    if (offset >= data_.size()) return {};
    return data_.subspan(offset, std::min<u64>(length, data_.size() - offset));
  }

 private:
  std::span<const u8> data_;
};

}  // namespace rhea::hw
