// SPDX-License-Identifier: GPL-2.0-or-later
// The PIIX4's SMBus host controller registers.
#include "hw/acpi/smbus_host.h"

#include "rhea/util/log.h"

#include <algorithm>

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
constexpr u8 kStatusDone = 0x02, kStatusDeviceError = 0x04, kStatusFailed = 0x10,
             kStatusClearable = 0x1e;
constexpr u8 kSlaveStatusClearable = 0x3c;
constexpr u8 kControlInterrupt = 0x01, kControlKill = 0x02, kControlStart = 0x40,
             kControlKept = 0x1f;
constexpr u8 kAddressRead = 0x01;
constexpr unsigned kProtocolShift = 2;
enum Protocol : u8 { kQuick = 0, kByte = 1, kByteData = 2, kWordData = 3, kBlockTransfer = 5 };

}  // namespace

void SmbusHost::reset() {
  const I2cBus* const bus = bus_;
  *this = {};
  bus_ = bus;
}

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
        status_ |= transact() ? kStatusDone : kStatusDeviceError;
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

// Whether somebody was there and the message one of those that there are.
bool SmbusHost::transact() {
  I2cDevice* const device = bus_ == nullptr ? nullptr : bus_->find(registers_[kAddress] >> 1);
  if (device == nullptr) return false;
  const bool reads = (registers_[kAddress] & kAddressRead) != 0;
  const std::array<u8, 3> message = {registers_[kCommand], registers_[kData0], registers_[kData1]};
  const auto send = [&](std::size_t bytes) { device->receive(std::span(message).first(bytes)); };
  const auto protocol = static_cast<u8>(control_ >> kProtocolShift & 7);
  switch (protocol) {
    case kQuick: send(0); return true;
    case kByte:
      if (reads)
        registers_[kData0] = device->send();
      else
        send(1);
      return true;
    case kByteData:
    case kWordData: {
      const std::size_t data = protocol == kWordData ? 2 : 1;
      send(reads ? 1 : 1 + data);
      if (!reads) return true;
      for (std::size_t i = 0; i < data; ++i) registers_[kData0 + i] = device->send();
      return true;
    }
    case kBlockTransfer: return reads ? read_block(*device) : write_block(*device);
    default: log_guest("piix4-pm", "SMBus protocol {} is not there", protocol); return false;
  }
}

// The device says how many bytes follow; more than 32 are no block.
bool SmbusHost::read_block(I2cDevice& device) {
  device.receive({&registers_[kCommand], 1});
  const u8 count = device.send();
  if (count == 0 || count > kBlock) return false;
  registers_[kData0] = count;
  for (u8 i = 0; i < count; ++i) block_[i] = device.send();
  block_index_ = 0;
  return true;
}

bool SmbusHost::write_block(I2cDevice& device) {
  const u8 count = registers_[kData0];
  block_index_ = 0;
  if (count == 0 || count > kBlock) return false;
  std::array<u8, kBlock + 2> message = {registers_[kCommand], count};
  std::copy_n(block_.begin(), count, message.begin() + 2);
  device.receive(std::span(message).first(count + std::size_t{2}));
  return true;
}

bool SmbusHost::interrupt() const {
  return (control_ & kControlInterrupt) != 0 && (status_ & kStatusClearable) != 0;
}

}  // namespace rhea::hw
