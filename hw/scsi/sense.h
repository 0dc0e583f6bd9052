// SPDX-License-Identifier: GPL-2.0-or-later
// What devices say of a command that failed, and of what befell them meanwhile.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/util/types.h"

#include <array>

namespace rhea::hw {

/// Sense key, additional code and qualifier (SPC-4, 4.5 and annex F; MMC-3, annex F).
struct ScsiSense {
  u8 key{}, code{}, qualifier{};
  static void describe(StateFields<ScsiSense>& s);
  friend bool operator==(const ScsiSense&, const ScsiSense&) = default;
};

inline constexpr std::size_t kFixedSenseBytes = 18;
/// In the fixed format, of the command that it goes with.
std::array<u8, kFixedSenseBytes> fixed_sense(const ScsiSense& sense);

namespace sense {
inline constexpr ScsiSense kNone{0x0, 0x00, 0x00}, kStopped{0x2, 0x04, 0x02},
    kNoMedium{0x2, 0x3a, 0x01}, kTrayOpen{0x2, 0x3a, 0x02}, kWriteError{0x3, 0x0c, 0x00},
    kReadError{0x3, 0x11, 0x00}, kListLength{0x5, 0x1a, 0x00}, kBadOpcode{0x5, 0x20, 0x00},
    kOutOfRange{0x5, 0x21, 0x00}, kBadField{0x5, 0x24, 0x00}, kNoUnit{0x5, 0x25, 0x00},
    kBadParameter{0x5, 0x26, 0x00}, kWrongFormat{0x5, 0x30, 0x00}, kNoSaving{0x5, 0x39, 0x00},
    kRemovalPrevented{0x5, 0x53, 0x02}, kWrongTrackMode{0x5, 0x64, 0x00},
    kMediumChanged{0x6, 0x28, 0x00}, kReset{0x6, 0x29, 0x00}, kNexusLost{0x6, 0x29, 0x07},
    kCapacityChanged{0x6, 0x2a, 0x09}, kUnitsChanged{0x6, 0x3f, 0x0e},
    kWriteProtected{0x7, 0x27, 0x00}, kMiscompare{0xe, 0x1d, 0x00};
}  // namespace sense

}  // namespace rhea::hw
