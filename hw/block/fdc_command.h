// SPDX-License-Identifier: GPL-2.0-or-later
// The floppy controller's command set.
#pragma once

#include "hw/block/fdc.h"

namespace rhea::hw {

inline constexpr u8 kDriveSpecification = 0x8e;

struct Fdc::Command {
  u8 code;
  u8 mask;    ///< which bits of the first byte name the command
  u8 length;  ///< with the first byte
  void (Fdc::*run)();
};

/// Status register bits (82078, 4.0).
namespace fdc {
inline constexpr u8 kAbnormal = 0x40, kSeekEnd = 0x20, kEquipmentCheck = 0x10, kReadyChanged = 0xc0;
inline constexpr u8 kEndOfCylinder = 0x80, kDataError = 0x20, kNoData = 0x04, kNotWritable = 0x02,
                    kNoAddressMark = 0x01;
inline constexpr u8 kControlMark = 0x40, kDataFieldError = 0x20, kWrongCylinder = 0x10,
                    kScanEqual = 0x08, kScanNotSatisfied = 0x04;
inline constexpr u8 kDriveWriteProtected = 0x40, kDriveTrack0 = 0x10, kDriveFixed = 0x28;
}  // namespace fdc

}  // namespace rhea::hw
