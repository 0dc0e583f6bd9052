// SPDX-License-Identifier: GPL-2.0-or-later
// The registers of one 8237A, without the bus.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/util/types.h"

#include <array>

namespace rhea::hw {

/// Which way a channel moves data.
enum class DmaDirection : u8 { Verify, ToMemory, FromMemory, Illegal };

/// One channel. Units are bytes, on the AT's second controller words.
class I8237Channel {
 public:
  static void describe(StateFields<I8237Channel>& s);

  /// Both are base and current register; writing them begins a new transfer.
  void write_address(bool high_byte, u8 value);
  void write_count(bool high_byte, u8 value);
  u16 address() const;
  u16 count() const { return static_cast<u16>(base_count_ - done_); }
  void set_mode(u8 mode) { mode_ = mode; }

  u16 base_address() const { return base_address_; }
  u32 total() const { return base_count_ + 1u; }
  /// Units moved so far.
  u32 done() const { return done_; }
  bool finished() const { return done_ >= total(); }
  void advance(u32 units);
  /// Auto-initialisation: the transfer begins anew.
  void restart() { done_ = 0; }
  DmaDirection direction() const { return static_cast<DmaDirection>(mode_ >> 2 & 3); }
  bool auto_init() const { return (mode_ & 0x10) != 0; }
  bool decrements() const { return (mode_ & 0x20) != 0; }
  bool block() const { return mode_ >> 6 == 2; }
  bool cascade() const { return mode_ >> 6 == 3; }

 private:
  u16 base_address_{0};
  u16 base_count_{0};
  u32 done_{0};
  u8 mode_{0};
};

/// Four channels with the registers they share (datasheet 231466).
class I8237Chip {
 public:
  static constexpr unsigned kChannels = 4;

  static void describe(StateFields<I8237Chip>& s);

  void reset();
  u8 read(unsigned offset);
  void write(unsigned offset, u8 value);

  I8237Channel& channel(unsigned n) { return channels_[n]; }
  const I8237Channel& channel(unsigned n) const { return channels_[n]; }
  void set_request(unsigned n, bool level);
  /// Channels that may move data now: a bit each.
  u8 active() const;
  /// The channel has begun: in block mode it goes on until its end whatever DREQ does.
  void begin(unsigned n);
  /// Terminal count.
  void end(unsigned n);

 private:
  void write_register(unsigned offset, u8 value);

  std::array<I8237Channel, kChannels> channels_;
  bool high_byte_next_{false};
  u8 command_{0};
  u8 requests_{0};       ///< DREQ
  u8 soft_requests_{0};  ///< the request register
  u8 blocks_{0};         ///< block transfers under way
  u8 done_{0};           ///< terminal counts since the status was read
  u8 mask_{0x0f};
};

}  // namespace rhea::hw
