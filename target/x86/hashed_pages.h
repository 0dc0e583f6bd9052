// SPDX-License-Identifier: GPL-2.0-or-later
// A set of pages that never misses one, and past many of them may claim to hold others too.
#pragma once

#include "rhea/util/types.h"

#include <array>

namespace rhea::x86 {

/// Pages of 4 KiB, and large ones, by the linear address of any of their bytes.
class HashedPages {
 public:
  static constexpr unsigned kMostExact = 768;  ///< it holds no others as long as these are all

  /// `shift`: the page's size.
  void add(u64 linear, unsigned shift) {
    const Key key(linear, shift);
    bits_[key.bit() / 64] |= u64{1} << key.bit() % 64;
    used_ = true;
    if (count_ > kMostExact) return;
    u64& slot = pages_[find(key)];
    if (slot == 0) ++count_;
    slot = key.page;
  }
  bool has(u64 linear, unsigned shift) const {
    const Key key(linear, shift);
    return (bits_[key.bit() / 64] >> key.bit() % 64 & 1) != 0 &&
           (count_ > kMostExact || pages_[find(key)] == key.page);
  }
  /// By a page of any size.
  bool has(u64 linear) const {
    return used_ && (has(linear, 12) || has(linear, 21) || has(linear, 22) || has(linear, 30));
  }
  void clear() {
    if (used_) *this = {};
  }

 private:
  static constexpr unsigned kBits = 4096, kSlots = 1024;
  static_assert(kMostExact + 1 < kSlots, "a search ends at an empty slot");
  struct Key {
    Key(u64 linear, unsigned shift)
        : page((linear >> shift) << 6 | shift), hash(page * 0x9e37'79b9'7f4a'7c15 >> 32) {}
    u64 bit() const { return hash & (kBits - 1); }
    u64 page, hash;
  };
  /// The page's slot, or the empty one that it would get.
  u64 find(const Key& key) const {
    u64 slot = key.hash & (kSlots - 1);
    while (pages_[slot] != 0 && pages_[slot] != key.page) slot = (slot + 1) & (kSlots - 1);
    return slot;
  }

  std::array<u64, kBits / 64> bits_{};
  std::array<u64, kSlots> pages_{};  ///< Key::page, from its hash on the first that was free
  unsigned count_{};                 ///< of pages_; kMostExact + 1: there were more
  bool used_{};
};

}  // namespace rhea::x86
