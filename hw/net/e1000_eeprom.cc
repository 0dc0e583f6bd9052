// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/net/e1000_eeprom.h"

#include <utility>

namespace rhea::hw {
namespace {

constexpr unsigned kCommandBits = 8;  // behind the start bit: opcode and address
constexpr unsigned kWordBits = 16;
constexpr u16 kSum = 0xbaba;

// Words of Intel's map.
enum Word : u8 {
  kMac = 0x00,
  kCompatibility = 0x03,
  kLedSettings = 0x04,
  kBoardNumber = 0x08,
  kInitControl1 = 0x0a,
  kSubsystem = 0x0b,
  kSubsystemVendor = 0x0c,
  kDevice = 0x0d,
  kVendor = 0x0e,
  kInitControl2 = 0x0f,
  kChecksum = 0x3f,
};

}  // namespace

void E1000Eeprom::describe(StateFields<E1000Eeprom>& s) {
  s.state("words", &E1000Eeprom::words_).survives_reset();
  s.state("phase", &E1000Eeprom::phase_).range(0, static_cast<u64>(Phase::Done));
  s.state("select", &E1000Eeprom::select_);
  s.state("clock", &E1000Eeprom::clock_);
  s.state("data-out", &E1000Eeprom::data_out_);
  s.state("write-enabled", &E1000Eeprom::write_enabled_);
  s.state("shift", &E1000Eeprom::shift_);
  s.state("bits", &E1000Eeprom::bits_).range(0, kWordBits);
  s.state("address", &E1000Eeprom::address_).range(0, kWords - 1);
}

void E1000Eeprom::program(const MacAddress& mac, u16 device_id) {
  words_.fill(0xffff);
  for (unsigned n = 0; n < 3; ++n)
    words_[kMac + n] = static_cast<u16>(mac.bytes[2 * n] | mac.bytes[2 * n + 1] << 8);
  words_[kCompatibility] = 0;
  words_[kLedSettings] = 0xffff;
  words_[kBoardNumber] = words_[kBoardNumber + 1] = 0;
  // The signature of a valid EEPROM, and that identifiers are to be taken from here.
  words_[kInitControl1] = 0x4003;
  words_[kSubsystem] = 0x1100;
  words_[kSubsystemVendor] = 0x1af4;
  words_[kDevice] = device_id;
  words_[kVendor] = 0x8086;
  words_[kInitControl2] = 0;
  u16 sum = 0;
  for (unsigned n = 0; n < kChecksum; ++n) sum = static_cast<u16>(sum + words_[n]);
  words_[kChecksum] = static_cast<u16>(kSum - sum);
}

MacAddress E1000Eeprom::mac() const {
  MacAddress mac;
  for (unsigned n = 0; n < 3; ++n) {
    mac.bytes[2 * n] = static_cast<u8>(words_[kMac + n]);
    mac.bytes[2 * n + 1] = static_cast<u8>(words_[kMac + n] >> 8);
  }
  return mac;
}

void E1000Eeprom::reset() {
  phase_ = Phase::Idle;
  select_ = clock_ = write_enabled_ = false;
  data_out_ = true;
  shift_ = 0;
  bits_ = address_ = 0;
}

void E1000Eeprom::drive(bool select, bool clock, bool data) {
  const bool rises = !std::exchange(clock_, clock) && clock;
  if (select_ && !select) finish_write();
  if (std::exchange(select_, select) != select) {
    // Selected again it says that it is ready: writing takes no time here.
    phase_ = Phase::Idle;
    data_out_ = true;
    shift_ = 0;
    bits_ = 0;
    return;
  }
  if (select && rises) clock_in(data);
}

void E1000Eeprom::clock_in(bool bit) {
  switch (phase_) {
    case Phase::Idle:
      // Zeroes before the start bit count for nothing.
      if (bit) phase_ = Phase::Command;
      return;
    case Phase::Command:
      shift_ = static_cast<u16>(shift_ << 1 | u16{bit});
      if (++bits_ < kCommandBits) return;
      run(shift_ >> 6 & 3, shift_ & (kWords - 1));
      return;
    case Phase::Reading:
      // Word after word, as long as the clock runs.
      if (bits_ == 0) shift_ = words_[address_];
      data_out_ = (shift_ & 0x8000) != 0;
      shift_ = static_cast<u16>(shift_ << 1);
      if (++bits_ < kWordBits) return;
      bits_ = 0;
      address_ = static_cast<u8>((address_ + 1) % kWords);
      return;
    case Phase::Writing:
    case Phase::WritingAll:
      if (bits_ == kWordBits) return;
      shift_ = static_cast<u16>(shift_ << 1 | u16{bit});
      ++bits_;
      return;
    case Phase::Done: return;
  }
}

void E1000Eeprom::run(unsigned opcode, unsigned address) {
  enum : u8 { kSpecial, kWrite, kRead, kErase };
  address_ = static_cast<u8>(address);
  shift_ = 0;
  bits_ = 0;
  phase_ = Phase::Done;
  if (opcode == kRead) {
    // A zero comes before the word.
    data_out_ = false;
    phase_ = Phase::Reading;
  } else if (opcode == kWrite) {
    phase_ = Phase::Writing;
  } else if (opcode == kErase) {
    if (write_enabled_) words_[address_] = 0xffff;
  } else {
    // The address's upper bits say which.
    enum : u8 { kDisable, kWriteAll, kEraseAll, kEnable };
    switch (address >> 4) {
      case kDisable: write_enabled_ = false; return;
      case kWriteAll: phase_ = Phase::WritingAll; return;
      case kEraseAll:
        if (write_enabled_) words_.fill(0xffff);
        return;
      default: write_enabled_ = true; return;
    }
  }
}

// What was shifted in is stored when the chip is no longer selected, if it was all of a word.
void E1000Eeprom::finish_write() {
  if (bits_ != kWordBits || !write_enabled_) return;
  if (phase_ == Phase::Writing) words_[address_] = shift_;
  if (phase_ == Phase::WritingAll) words_.fill(shift_);
}

}  // namespace rhea::hw
