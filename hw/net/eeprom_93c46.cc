// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/net/eeprom_93c46.h"

#include <algorithm>
#include <utility>

namespace rhea::hw {
namespace {

constexpr unsigned kCommandBits = 8;  // behind the start bit: opcode and address
constexpr unsigned kWordBits = 16;

}  // namespace

void Eeprom93c46::describe(StateFields<Eeprom93c46>& s) {
  s.state("words", &Eeprom93c46::words_).survives_reset();
  s.state("phase", &Eeprom93c46::phase_).range(0, static_cast<u64>(Phase::Done));
  s.state("select", &Eeprom93c46::select_);
  s.state("clock", &Eeprom93c46::clock_);
  s.state("data-out", &Eeprom93c46::data_out_);
  s.state("write-enabled", &Eeprom93c46::write_enabled_);
  s.state("shift", &Eeprom93c46::shift_);
  s.state("bits", &Eeprom93c46::bits_).range(0, kWordBits);
  s.state("address", &Eeprom93c46::address_).range(0, kWords - 1);
}

void Eeprom93c46::program(std::span<const u16, kWords> words) {
  std::ranges::copy(words, words_.begin());
}

void Eeprom93c46::reset() {
  phase_ = Phase::Idle;
  select_ = clock_ = write_enabled_ = false;
  data_out_ = true;
  shift_ = 0;
  bits_ = address_ = 0;
}

void Eeprom93c46::drive(bool select, bool clock, bool data) {
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

void Eeprom93c46::clock_in(bool bit) {
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

void Eeprom93c46::run(unsigned opcode, unsigned address) {
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
void Eeprom93c46::finish_write() {
  if (bits_ != kWordBits || !write_enabled_) return;
  if (phase_ == Phase::Writing) words_[address_] = shift_;
  if (phase_ == Phase::WritingAll) words_.fill(shift_);
}

}  // namespace rhea::hw
