// SPDX-License-Identifier: GPL-2.0-or-later
// The PIIX4's SMBus host controller registers.
#include "hw/acpi/smbus_host.h"

namespace rhea::hw {
namespace {

enum Reg : u8 {
  kStatus = 0x0,
  kSlaveStatus = 0x1,
  kControl = 0x2,
  kCommand = 0x3,
  kAddress = 0x4,
  kData0 = 0x5,
  kData1 = 0x6,
  kBlockData = 0x7,
  kSlaveControl = 0x8,
  kShadowCommand = 0x9,
  kSlaveEventLow = 0xa,
  kSlaveEventHigh = 0xb,
};
constexpr u8 kStatusDeviceError = 0x04, kStatusFailed = 0x10, kStatusClearable = 0x1e;
constexpr u8 kSlaveStatusClearable = 0x3c;
constexpr u8 kControlInterrupt = 0x01, kControlKill = 0x02, kControlStart = 0x40,
             kControlKept = 0x1f;

}  // namespace

u8 SmbusHost::read(unsigned reg) {
  switch (reg) {
    case kStatus: return status_;
    case kSlaveStatus: return slave_status_;
    case kControl: block_index_ = 0; return control_;
    case kBlockData: {
      const u8 value = block_[block_index_];
      block_index_ = (block_index_ + 1) % kBlock;
      return value;
    }
    default: return registers_[reg % kRegisters];
  }
}

void SmbusHost::write(unsigned reg, u8 value) {
  switch (reg) {
    case kStatus: status_ &= static_cast<u8>(~(value & kStatusClearable)); break;
    case kSlaveStatus: slave_status_ &= static_cast<u8>(~(value & kSlaveStatusClearable)); break;
    case kControl:
      control_ = value & kControlKept;
      if ((value & kControlKill) != 0)
        status_ |= kStatusFailed;
      else if ((value & kControlStart) != 0)
        status_ |= kStatusDeviceError;
      break;
    case kBlockData:
      block_[block_index_] = value;
      block_index_ = (block_index_ + 1) % kBlock;
      break;
    case kSlaveControl: registers_[reg] = value & 0x0f; break;
    case kCommand:
    case kAddress:
    case kData0:
    case kData1:
    case kSlaveEventLow:
    case kSlaveEventHigh: registers_[reg] = value; break;
    default: break;
  }
}

bool SmbusHost::interrupt() const {
  return (control_ & kControlInterrupt) != 0 && (status_ & kStatusClearable) != 0;
}

}  // namespace rhea::hw
