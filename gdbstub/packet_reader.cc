// SPDX-License-Identifier: GPL-2.0-or-later
// From bytes to packets.
#include "gdbstub/packet_reader.h"

#include "gdbstub/hex.h"

namespace rhea::gdbstub {
namespace {

constexpr u8 kControlC = 3;
constexpr u8 kEscape = '}';
constexpr u8 kEscapeBit = 0x20;

}  // namespace

PacketReader::Event PacketReader::feed(u8 byte) {
  // A packet that was broken off: no '$' lies unescaped within another.
  if (byte == '$' && state_ != State::Escaped) {
    begin();
    return Event::None;
  }
  switch (state_) {
    case State::Between: return between(byte);
    case State::Text:
      if (byte == '#') {
        state_ = State::HighDigit;
        return Event::None;
      }
      sum_ = static_cast<u8>(sum_ + byte);
      if (byte == kEscape)
        state_ = State::Escaped;
      else
        add(byte);
      return Event::None;
    case State::Escaped:
      sum_ = static_cast<u8>(sum_ + byte);
      add(byte ^ kEscapeBit);
      state_ = State::Text;
      return Event::None;
    case State::HighDigit:
      wanted_ = digit_value(static_cast<char>(byte)) * 16;
      state_ = State::LowDigit;
      return Event::None;
    case State::LowDigit: break;
  }
  return end(byte);
}

PacketReader::Event PacketReader::between(u8 byte) {
  switch (byte) {
    case '+': return Event::Accepted;
    case '-': return Event::Rejected;
    case kControlC: return Event::Interrupt;
    default: return Event::None;
  }
}

void PacketReader::begin() {
  state_ = State::Text;
  text_.clear();
  too_long_ = false;
  sum_ = 0;
}

void PacketReader::add(u8 byte) {
  if (text_.size() < kLimit)
    text_ += static_cast<char>(byte);
  else
    too_long_ = true;
}

PacketReader::Event PacketReader::end(u8 byte) {
  state_ = State::Between;
  const int low = digit_value(static_cast<char>(byte));
  if (wanted_ < 0 || low < 0 || wanted_ + low != sum_) return Event::Damaged;
  return too_long_ ? Event::TooLong : Event::Packet;
}

}  // namespace rhea::gdbstub
