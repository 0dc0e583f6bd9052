// SPDX-License-Identifier: GPL-2.0-or-later
// How rings lie in memory (OASIS Virtual I/O Device 1.2, 2.7 and 2.8). All little-endian.
#pragma once

#include "rhea/util/types.h"

namespace rhea::hw::ring {

// Descriptors, 16 bytes. Split: address, length, flags, next. Packed: address, length, id, flags.
inline constexpr u64 kDescriptorBytes = 16;
inline constexpr u16 kNext = 1, kWrite = 2, kIndirect = 4, kAvailable = 1 << 7, kUsed = 1 << 15;

// Split: the available ring is flags, index, an entry each, the event index; the used ring has
// entries of id and length.
inline constexpr u64 kAvailableIndex = 2, kAvailableEntries = 4;
inline constexpr u64 kUsedIndex = 2, kUsedEntries = 4, kUsedBytes = 8;
inline constexpr u16 kNoInterrupt = 1;

// Packed: either event area is offset and wrap bit, then flags.
inline constexpr u64 kEventFlags = 2;
inline constexpr u16 kEventEnable = 0, kEventDisable = 1, kEventAtDescriptor = 2;
inline constexpr u16 kEventWrap = 1 << 15;

/// Whether `event` is among the `passed` positions that end before `now` (2.7.10).
constexpr bool passed_event(u16 event, u16 now, u32 passed) {
  return static_cast<u16>(now - event - 1) < passed;
}

}  // namespace rhea::hw::ring
