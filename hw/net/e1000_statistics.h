// SPDX-License-Identifier: GPL-2.0-or-later
// The statistics registers of Intel's gigabit cards.
#pragma once

#include "hw/net/e1000_registers.h"
#include "rhea/net/mac_address.h"
#include "rhea/net/netdev.h"

#include <algorithm>
#include <array>
#include <limits>

namespace rhea::hw::e1000 {

using Statistics = std::array<u32, kStatistics>;

/// They stick at their greatest value.
inline void count(Statistics& all, Statistic which, u64 n = 1) {
  u32& one = all[which];
  const u64 sum = one + n;
  one = sum > std::numeric_limits<u32>::max() ? std::numeric_limits<u32>::max()
                                              : static_cast<u32>(sum);
}

/// Of 64 bits, in two registers.
inline void count_wide(Statistics& all, Statistic low, u64 n) {
  const unsigned high = low + 1u;
  const u64 before = u64{all[high]} << 32 | all[low];
  const u64 after = before + n < before ? ~u64{0} : before + n;
  all[low] = static_cast<u32>(after);
  all[high] = static_cast<u32>(after >> 32);
}

inline bool is_high_half(unsigned index) {
  return index == kReceivedOctets + 1u || index == kSentOctets + 1u ||
         index == kTotalReceivedOctets + 1u || index == kTotalSentOctets + 1u;
}
inline bool is_low_half(unsigned index) { return is_high_half(index + 1); }

/// The counter of frames of this length, their check sequence included.
inline Statistic by_length(Statistic first, std::size_t length) {
  const unsigned step = length <= 64     ? 0
                        : length <= 127  ? 1
                        : length <= 255  ? 2
                        : length <= 511  ? 3
                        : length <= 1023 ? 4
                                         : 5;
  return static_cast<Statistic>(first + step);
}

/// Which registers count frames of one direction.
struct FrameCounters {
  Statistic good, total, by_length, broadcast, multicast, octets, total_octets;
};
inline constexpr FrameCounters kSentFrames{.good = kSentGood,
                                           .total = kTotalSent,
                                           .by_length = kSent64,
                                           .broadcast = kSentBroadcast,
                                           .multicast = kSentMulticast,
                                           .octets = kSentOctets,
                                           .total_octets = kTotalSentOctets};
inline constexpr FrameCounters kReceivedFrames{.good = kReceivedGood,
                                               .total = kTotalReceived,
                                               .by_length = kReceived64,
                                               .broadcast = kReceivedBroadcast,
                                               .multicast = kReceivedMulticast,
                                               .octets = kReceivedOctets,
                                               .total_octets = kTotalReceivedOctets};

/// A good frame, of at least 6 bytes; `length` with its check sequence.
inline void count_frame(Statistics& all, const FrameCounters& which, Frame frame,
                        std::size_t length) {
  count(all, which.good);
  count(all, which.total);
  count(all, by_length(which.by_length, length));
  if (std::ranges::equal(frame.first(6), kBroadcastMac.bytes))
    count(all, which.broadcast);
  else if ((frame[0] & 1) != 0)
    count(all, which.multicast);
  count_wide(all, which.octets, length);
  count_wide(all, which.total_octets, length);
}

}  // namespace rhea::hw::e1000
