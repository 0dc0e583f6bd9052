// SPDX-License-Identifier: GPL-2.0-or-later
// The three sets of scan codes that PC keyboards know.
#pragma once

#include "rhea/ui/input.h"
#include "rhea/util/types.h"

namespace rhea::hw {

/// What the keyboard controller makes of a byte of set 2 under translation. (0xf0 is its own
/// business.)
u8 set1_from_set2(u8 code);
/// The code of set 2 for a make code of set 1 (1..0x7f), both without prefix.
u8 set2_from_set1(u8 code);

/// Set 3: which of a key's events are told. Bits.
inline constexpr u8 kTellsRepeats = 1;
inline constexpr u8 kTellsRelease = 2;

/// A key in set 3: one byte, 0 for none, and what it tells before anybody changed that.
struct Set3Key {
  u8 code{0};
  u8 tells{0};
};
Set3Key set3_key(KeyNumber key);
/// What the key with that code of set 3 tells by default.
u8 set3_default_tells(u8 code);

}  // namespace rhea::hw
