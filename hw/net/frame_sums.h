// SPDX-License-Identifier: GPL-2.0-or-later
// Sums over frames: the Internet checksum (RFC 1071) and Ethernet's frame check sequence.
#pragma once

#include "rhea/util/types.h"

#include <span>

namespace rhea::hw {

/// Numbers of a frame are big-endian. Offsets are the caller's to check.
inline u16 be16(std::span<const u8> bytes, std::size_t at) {
  return static_cast<u16>(bytes[at] << 8 | bytes[at + 1]);
}
inline u32 be32(std::span<const u8> bytes, std::size_t at) {
  return u32{be16(bytes, at)} << 16 | be16(bytes, at + 2);
}
inline void put_be16(std::span<u8> bytes, std::size_t at, u16 value) {
  bytes[at] = static_cast<u8>(value >> 8);
  bytes[at + 1] = static_cast<u8>(value);
}
inline void put_be32(std::span<u8> bytes, std::size_t at, u32 value) {
  put_be16(bytes, at, static_cast<u16>(value >> 16));
  put_be16(bytes, at + 2, static_cast<u16>(value));
}

/// The ones' complement sum of `bytes` as big-endian 16-bit words, the last one filled up with a
/// zero byte: 0 to 0xffff. Sums may be added, and folded again.
u16 internet_sum(std::span<const u8> bytes);
/// Of a sum of sums.
inline u16 folded(u64 sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<u16>(sum);
}
/// Of the addresses, the protocol and the length: what TCP and UDP sum besides their own bytes.
/// `ip` begins with an IPv4 header of 20 bytes, or an IPv6 header of 40.
u16 pseudo_header_sum(std::span<const u8> ip, bool version6, u8 protocol, u32 length);

/// The frame check sequence, as its bytes follow the frame, least significant first.
u32 frame_check(std::span<const u8> frame);

}  // namespace rhea::hw
