// SPDX-License-Identifier: GPL-2.0-or-later
// A set of pages that may claim to hold others too, but never misses one.
#pragma once

#include "rhea/util/types.h"

#include <array>

namespace rhea::x86 {

/// Pages of 4 KiB, and large ones, by the linear address of any of their bytes.
class HashedPages {
 public:
  /// `shift`: the page's size.
  void add(u64 linear, unsigned shift) {
    const u64 at = bit(linear, shift);
    bits_[at / 64] |= u64{1} << at % 64;
    used_ = true;
  }
  bool has(u64 linear, unsigned shift) const {
    const u64 at = bit(linear, shift);
    return (bits_[at / 64] >> at % 64 & 1) != 0;
  }
  /// By a page of any size.
  bool has(u64 linear) const {
    return used_ && (has(linear, 12) || has(linear, 21) || has(linear, 22) || has(linear, 30));
  }
  void clear() {
    if (used_) *this = {};
  }

 private:
  static constexpr unsigned kBits = 4096;
  static u64 bit(u64 linear, unsigned shift) {
    return ((linear >> shift) + shift) * 0x9e37'79b9'7f4a'7c15 >> 32 & (kBits - 1);
  }

  std::array<u64, kBits / 64> bits_{};
  bool used_{};
};

}  // namespace rhea::x86
