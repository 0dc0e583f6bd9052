// SPDX-License-Identifier: GPL-2.0-or-later
// Which bit of a table of 64 stands for a multicast address: six bits of its CRC.
#pragma once

#include "hw/net/frame_sums.h"

namespace rhea::hw {

/// The upper bits of the remainder as its shift register holds them, the first bit shifted out
/// first: what National's DP8390 and Realtek's cards take.
inline unsigned multicast_hash(std::span<const u8> address) {
  const u32 remainder = ~frame_check(address);
  unsigned hash = 0;
  for (unsigned bit = 0; bit < 6; ++bit) hash = hash << 1 | (remainder >> bit & 1);
  return hash;
}

}  // namespace rhea::hw
