// SPDX-License-Identifier: GPL-2.0-or-later
// Frames for tests of network cards, and sums over them.
#pragma once

#include "rhea/util/types.h"
#include "tests/support/net_peer.h"

#include <algorithm>
#include <array>
#include <span>

namespace rhea::test {

inline const std::array<u8, 6> kCardMac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
inline const std::array<u8, 6> kPeerMac = {0x02, 0x00, 0x00, 0x00, 0x00, 0x01};

/// A header, and bytes that count up.
inline FrameBytes frame_to(std::span<const u8> to, std::size_t length, u16 type = 0x88b5) {
  FrameBytes frame(length);
  for (std::size_t n = 0; n < length; ++n) frame[n] = static_cast<u8>(n);
  std::copy(to.begin(), to.end(), frame.begin());
  std::copy(kPeerMac.begin(), kPeerMac.end(), frame.begin() + 6);
  frame[12] = static_cast<u8>(type >> 8);
  frame[13] = static_cast<u8>(type);
  return frame;
}

inline u32 word_at(const FrameBytes& frame, std::size_t at, unsigned bytes) {
  u32 value = 0;
  for (unsigned n = 0; n < bytes; ++n) value = value << 8 | frame.at(at + n);
  return value;
}
inline void put_word(FrameBytes& frame, std::size_t at, unsigned bytes, u64 value) {
  for (unsigned n = 0; n < bytes; ++n)
    frame.at(at + n) = static_cast<u8>(value >> (8 * (bytes - 1 - n)));
}

/// RFC 1071, word by word: right where it gives 0xffff over a checksum and what it covers.
inline u32 plain_sum(const FrameBytes& frame, std::size_t from, std::size_t to, u32 sum = 0) {
  for (std::size_t n = from; n < to; n += 2) {
    sum += static_cast<u32>(frame.at(n)) << 8;
    if (n + 1 < to) sum += frame.at(n + 1);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

/// TCP or UDP over IPv4 (headers of 14, 20 and 20 or 8 bytes) or IPv6 (14, 40); checksums are the
/// pseudo header's, of `summed_length` bytes.
struct PacketShape {
  bool version6{false};
  u8 protocol{6};
  std::size_t payload{100};
  bool length_in_sum{true};
  std::size_t ip() const { return 14; }
  std::size_t l4() const { return version6 ? 54 : 34; }
  std::size_t header() const { return l4() + (protocol == 6 ? 20 : 8); }
  std::size_t sum_at() const { return l4() + (protocol == 6 ? 16 : 6); }
};

inline u32 pseudo_sum(const FrameBytes& frame, const PacketShape& shape, std::size_t length) {
  const std::size_t first = shape.version6 ? 22 : 26, last = shape.version6 ? 54 : 34;
  return plain_sum(frame, first, last, static_cast<u32>(shape.protocol + length));
}

inline FrameBytes packet(const PacketShape& shape) {
  FrameBytes frame =
      frame_to(kCardMac, shape.header() + shape.payload, shape.version6 ? 0x86dd : 0x0800);
  const std::size_t behind_ip = frame.size() - shape.l4();
  if (shape.version6) {
    put_word(frame, 14, 4, 0x6000'0000);
    put_word(frame, 18, 2, behind_ip);
    frame[20] = shape.protocol;
    frame[21] = 64;
  } else {
    put_word(frame, 14, 4, 0x4500'0000 | (frame.size() - 14));
    put_word(frame, 18, 4, 0x1234'0000);
    put_word(frame, 22, 4, 0x4000'0000 | u32{shape.protocol} << 16);
  }
  if (shape.protocol == 6) {
    put_word(frame, shape.l4() + 4, 4, 0x1000'0000);
    put_word(frame, shape.l4() + 12, 2, 0x5019);  // FIN, PSH, ACK
  } else {
    put_word(frame, shape.l4() + 4, 2, behind_ip);
  }
  put_word(frame, shape.sum_at(), 2, pseudo_sum(frame, shape, shape.length_in_sum ? behind_ip : 0));
  return frame;
}
/// Whether TCP's or UDP's checksum fits.
inline bool l4_sum_is_right(const FrameBytes& frame, const PacketShape& shape) {
  const std::size_t length = frame.size() - shape.l4();
  return plain_sum(frame, shape.l4(), frame.size(), pseudo_sum(frame, shape, length)) == 0xffff;
}
inline bool ip_sum_is_right(const FrameBytes& frame) { return plain_sum(frame, 14, 34) == 0xffff; }
/// A packet whose checksums are right.
inline FrameBytes summed(const PacketShape& shape) {
  FrameBytes frame = packet(shape);
  put_word(frame, shape.sum_at(), 2, 0xffff - plain_sum(frame, shape.l4(), frame.size()));
  if (!shape.version6) put_word(frame, 24, 2, 0xffff - plain_sum(frame, 14, 34));
  return frame;
}

}  // namespace rhea::test
