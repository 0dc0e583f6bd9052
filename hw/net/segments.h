// SPDX-License-Identifier: GPL-2.0-or-later
// Cutting large frames into those that fit the wire, as network cards do.
#pragma once

#include "rhea/util/types.h"

#include <cstddef>
#include <span>

namespace rhea::hw {

/// Where the headers are that all segments of a frame share. Offsets are a guest's: what lies
/// beyond a frame is left alone.
struct SegmentHeaders {
  std::size_t ip{}, l4{};
  bool ipv4{}, tcp{};
};

/// Which segment of its frame one is.
struct SegmentPlace {
  u32 payload{};  ///< bytes in those before
  u16 number{};   ///< of those before
  bool last{};
};

/// Makes the headers of a segment from those of the whole: lengths, IPv4's identification, TCP's
/// sequence number and flags, UDP's length. Checksums are another matter.
void adapt_headers(std::span<u8> frame, const SegmentHeaders& headers, const SegmentPlace& place);

/// Puts the checksum of the bytes from `start` to `end` (the last one; 0: the frame's) at `at`;
/// what stands there counts. With `never_zero` a sum of 0 is written as 0xffff. False, and nothing
/// is written, where the offsets lie outside.
bool insert_sum(std::span<u8> frame, std::size_t start, std::size_t at, std::size_t end,
                bool never_zero);

}  // namespace rhea::hw
