// SPDX-License-Identifier: GPL-2.0-or-later
// A queue of bytes with a fixed capacity.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/util/types.h"

#include <array>
#include <span>

namespace rhea::hw {

template <u8 Capacity>
class ByteQueue {
 public:
  static void describe(StateFields<ByteQueue>& s) {
    s.state("data", &ByteQueue::data_);
    s.state("head", &ByteQueue::head_).range(0, Capacity - 1);
    s.state("size", &ByteQueue::size_).range(0, Capacity);
  }

  u8 size() const { return size_; }
  u8 room() const { return static_cast<u8>(Capacity - size_); }
  bool empty() const { return size_ == 0; }
  void clear() { *this = {}; }

  /// All of them, or none where they do not fit.
  bool push(std::span<const u8> bytes) {
    if (bytes.size() > room()) return false;
    for (const u8 byte : bytes) data_[(head_ + size_++) % Capacity] = byte;
    return true;
  }
  bool push(u8 byte) { return push(std::span(&byte, 1)); }
  /// The oldest one; 0 when there is none.
  u8 pop() {
    if (empty()) return 0;
    const u8 byte = data_[head_];
    head_ = static_cast<u8>((head_ + 1) % Capacity);
    --size_;
    return byte;
  }

 private:
  std::array<u8, Capacity> data_{};
  u8 head_{0};
  u8 size_{0};
};

}  // namespace rhea::hw
