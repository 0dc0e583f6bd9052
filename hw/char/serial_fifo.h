// SPDX-License-Identifier: GPL-2.0-or-later
// The 16-byte buffers of a 16550.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/util/types.h"

#include <algorithm>
#include <array>
#include <span>

namespace rhea::hw {

/// Sixteen characters, each with the line errors it came with (bits of the line status register).
class SerialFifo {
 public:
  static constexpr u8 kSize = 16;

  static void describe(StateFields<SerialFifo>& s) {
    s.state("data", &SerialFifo::data_);
    s.state("errors", &SerialFifo::errors_);
    s.state("head", &SerialFifo::head_).range(0, kSize - 1);
    s.state("count", &SerialFifo::count_).range(0, kSize);
  }

  u8 count() const { return count_; }
  bool empty() const { return count_ == 0; }
  bool full() const { return count_ == kSize; }
  void clear() { *this = {}; }

  /// Not when full.
  void push(u8 character, u8 errors = 0) {
    const auto slot = static_cast<u8>((head_ + count_) % kSize);
    data_[slot] = character;
    errors_[slot] = errors;
    count_ = std::min<u8>(count_ + 1, kSize);
  }
  /// The oldest character; 0 when empty.
  u8 pop() {
    if (empty()) return 0;
    const u8 character = data_[head_];
    drop(1);
    return character;
  }
  void drop(std::size_t characters) {
    const auto dropped = static_cast<u8>(std::min<std::size_t>(characters, count_));
    head_ = static_cast<u8>((head_ + dropped) % kSize);
    count_ = static_cast<u8>(count_ - dropped);
  }
  /// The oldest characters as far as they lie in a row.
  std::span<const u8> front() const {
    return std::span(data_).subspan(head_, std::min<std::size_t>(count_, kSize - head_));
  }
  /// Takes the errors of the oldest character.
  u8 take_errors() { return empty() ? u8{0} : std::exchange(errors_[head_], u8{0}); }
  bool has_errors() const {
    for (u8 i = 0; i < count_; ++i)
      if (errors_[(head_ + i) % kSize] != 0) return true;
    return false;
  }

 private:
  std::array<u8, kSize> data_{};
  std::array<u8, kSize> errors_{};
  u8 head_{0};
  u8 count_{0};
};

}  // namespace rhea::hw
