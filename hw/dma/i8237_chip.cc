// SPDX-License-Identifier: GPL-2.0-or-later
// The registers of one 8237A, without the bus.
#include "hw/dma/i8237_chip.h"

#include <algorithm>

namespace rhea::hw {
namespace {

enum Register : u8 {
  kStatus = 0x8,  // read
  kCommand = 0x8,
  kRequest = 0x9,
  kSingleMask = 0xa,
  kMode = 0xb,
  kClearFlipFlop = 0xc,
  kTemporary = 0xd,  // read
  kMasterClear = 0xd,
  kClearMask = 0xe,
  kAllMasks = 0xf,
};

constexpr u8 kDisabled = 0x04;
constexpr u8 kAllChannels = 0x0f;

u16 with_byte(u16 old, bool high_byte, u8 value) {
  return static_cast<u16>(high_byte ? (old & 0x00ff) | value << 8 : (old & 0xff00) | value);
}

u8 with_bit(u8 old, unsigned n, bool on) {
  return static_cast<u8>(on ? old | 1u << n : old & ~(1u << n));
}

}  // namespace

void I8237Channel::describe(StateFields<I8237Channel>& s) {
  s.state("base-address", &I8237Channel::base_address_).survives_reset();
  s.state("base-count", &I8237Channel::base_count_).survives_reset();
  s.state("done", &I8237Channel::done_).range(0, 0x10000).survives_reset();
  s.state("mode", &I8237Channel::mode_).survives_reset();
}

void I8237Channel::write_address(bool high_byte, u8 value) {
  base_address_ = with_byte(base_address_, high_byte, value);
  done_ = 0;
}

void I8237Channel::write_count(bool high_byte, u8 value) {
  base_count_ = with_byte(base_count_, high_byte, value);
  done_ = 0;
}

u16 I8237Channel::address() const {
  return static_cast<u16>(decrements() ? base_address_ - done_ : base_address_ + done_);
}

void I8237Channel::advance(u32 units) {
  done_ += std::min(units, total() - std::min(done_, total()));
}

void I8237Chip::describe(StateFields<I8237Chip>& s) {
  s.state("channels", &I8237Chip::channels_);
  s.state("high-byte-next", &I8237Chip::high_byte_next_);
  s.state("command", &I8237Chip::command_);
  s.state("requests", &I8237Chip::requests_).range(0, kAllChannels).survives_reset();
  s.state("soft-requests", &I8237Chip::soft_requests_).range(0, kAllChannels);
  s.state("blocks", &I8237Chip::blocks_).range(0, kAllChannels);
  s.state("done", &I8237Chip::done_).range(0, kAllChannels);
  s.state("mask", &I8237Chip::mask_).range(0, kAllChannels);
}

// RESET and master clear: addresses, counts and modes stay.
void I8237Chip::reset() {
  high_byte_next_ = false;
  command_ = 0;
  soft_requests_ = 0;
  blocks_ = 0;
  done_ = 0;
  mask_ = kAllChannels;
}

u8 I8237Chip::read(unsigned offset) {
  if (offset < 2 * kChannels) {
    const I8237Channel& c = channels_[offset / 2];
    const u16 value = offset % 2 == 0 ? c.address() : c.count();
    high_byte_next_ = !high_byte_next_;
    return static_cast<u8>(high_byte_next_ ? value : value >> 8);
  }
  switch (offset) {
    case kStatus: {
      const auto status = static_cast<u8>((requests_ | soft_requests_) << 4 | done_);
      done_ = 0;
      return status;
    }
    case kTemporary: return 0;
    case kAllMasks: return static_cast<u8>(0xf0 | mask_);
    default: return 0xff;
  }
}

void I8237Chip::write(unsigned offset, u8 value) {
  if (offset >= 2 * kChannels) return write_register(offset, value);
  I8237Channel& c = channels_[offset / 2];
  if (offset % 2 == 0)
    c.write_address(high_byte_next_, value);
  else
    c.write_count(high_byte_next_, value);
  high_byte_next_ = !high_byte_next_;
}

void I8237Chip::write_register(unsigned offset, u8 value) {
  const unsigned named = value & 3;
  const bool on = (value & 4) != 0;
  switch (offset) {
    case kCommand: command_ = value; break;
    case kRequest: soft_requests_ = with_bit(soft_requests_, named, on); break;
    case kSingleMask: mask_ = with_bit(mask_, named, on); break;
    case kMode: channels_[named].set_mode(value & 0xfc); break;
    case kClearFlipFlop: high_byte_next_ = false; break;
    case kMasterClear: reset(); break;
    case kClearMask: mask_ = 0; break;
    default: mask_ = value & kAllChannels; break;
  }
}

void I8237Chip::set_request(unsigned n, bool level) { requests_ = with_bit(requests_, n, level); }

// A software request is not stopped by the mask.
u8 I8237Chip::active() const {
  if ((command_ & kDisabled) != 0) return 0;
  u8 wanted = static_cast<u8>(((requests_ | blocks_) & ~mask_) | soft_requests_);
  for (unsigned n = 0; n < kChannels; ++n)
    if (channels_[n].cascade()) wanted = with_bit(wanted, n, false);
  return wanted;
}

void I8237Chip::begin(unsigned n) {
  if (channels_[n].block()) blocks_ = with_bit(blocks_, n, true);
}

void I8237Chip::end(unsigned n) {
  done_ = with_bit(done_, n, true);
  soft_requests_ = with_bit(soft_requests_, n, false);
  blocks_ = with_bit(blocks_, n, false);
  if (channels_[n].auto_init())
    channels_[n].restart();
  else
    mask_ = with_bit(mask_, n, true);
}

}  // namespace rhea::hw
