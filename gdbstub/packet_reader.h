// SPDX-License-Identifier: GPL-2.0-or-later
// From bytes to packets: "$text#checksum", and the single characters between them.
#pragma once

#include "rhea/util/types.h"

#include <string>

namespace rhea::gdbstub {

/// Takes the debugger's bytes one by one. However long a packet is, kLimit bytes are kept of it.
class PacketReader {
 public:
  /// Bytes between '$' and '#'. What the debugger is told (PacketSize) is less.
  static constexpr std::size_t kLimit = 64 * KiB;

  enum class Event : u8 {
    None,       ///< go on
    Packet,     ///< take() has it
    TooLong,    ///< one whose checksum is right, but not all of which was kept
    Damaged,    ///< a packet whose checksum is wrong
    Accepted,   ///< '+': the peer has got our packet
    Rejected,   ///< '-': it wants to have it again
    Interrupt,  ///< Ctrl-C
  };
  Event feed(u8 byte);
  /// What was between '$' and '#', escapes undone.
  std::string take() { return std::move(text_); }
  void reset() { state_ = State::Between; }

 private:
  enum class State : u8 { Between, Text, Escaped, HighDigit, LowDigit };
  Event between(u8 byte);
  void begin();
  void add(u8 byte);
  Event end(u8 byte);

  State state_{State::Between};
  std::string text_;
  bool too_long_{};
  u8 sum_{};
  int wanted_{};  ///< the checksum's high digit; negative: it was none
};

}  // namespace rhea::gdbstub
