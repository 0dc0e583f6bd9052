// SPDX-License-Identifier: GPL-2.0-or-later
// Frames that a card has made and nobody has taken yet, and the one that it is making.
#pragma once

#include "rhea/net/netdev.h"
#include "rhea/qom/state.h"
#include "rhea/util/types.h"

#include <array>
#include <optional>
#include <span>
#include <vector>

namespace rhea::hw {

/// One block of memory, allocated once: frames are put together where they are sent from. State:
/// all of it.
class FrameBatch {
 public:
  static constexpr std::size_t kFrames = 64;
  /// Of one frame; what is longer a card does not send.
  static constexpr std::size_t kLongest = 16 * KiB;

  FrameBatch() : bytes_(kBytes + kSlack) {}

  /// Whether another frame can be begun, however long it gets.
  bool has_room() const { return count_ < kFrames && start_ + kTagBytes + kLongest <= kBytes; }
  std::size_t count() const { return count_; }

  /// `length` more bytes of the frame in the making; empty when it would be longer than kLongest.
  /// Call it only while has_room().
  std::span<u8> extend(std::size_t length);
  /// What there is of it.
  std::span<u8> making() { return {bytes_.data() + start_ + kTagBytes, making_}; }
  void shorten(std::size_t length) { making_ = length; }
  /// Ends it, with a VLAN tag put in if there is one (type and tag), and gives what will be sent.
  Frame finish(std::optional<u32> tag);
  /// It is not to be sent.
  void abandon() { making_ = 0; }

  /// The finished ones, the oldest first.
  std::span<const Frame> frames();
  /// The first `count` have been taken.
  void taken(std::size_t count);
  void clear();

 private:
  friend struct rhea::StateCodec<FrameBatch>;
  static constexpr std::size_t kTagBytes = 4, kBytes = 256 * KiB;
  /// Loaded frames lie a little less tightly than those they were.
  static constexpr std::size_t kSlack = kLongest + 2 * KiB;
  struct Place {
    u32 offset, length;
  };

  std::vector<u8> bytes_;
  std::array<Place, kFrames> places_{};
  std::array<Frame, kFrames> views_{};
  std::size_t count_{0};
  std::size_t start_{0};   ///< where the frame in the making begins, the room for its tag included
  std::size_t making_{0};  ///< its bytes so far
};

}  // namespace rhea::hw

namespace rhea {

template <>
struct StateCodec<hw::FrameBatch> {
  static void save(const hw::FrameBatch& batch, StateWriter& out);
  static Result<> load(hw::FrameBatch& batch, StateReader& in, const StateField& field);
};

}  // namespace rhea
