// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/net/frame_sums.h"

#include <array>
#include <cstring>

namespace rhea::hw {
namespace {

constexpr std::size_t kSlices = 8;
constexpr u32 kPolynomial = 0xedb8'8320;

using SliceTables = std::array<std::array<u32, 256>, kSlices>;

// tables[n][byte]: what a byte does to the remainder when n more bytes follow it.
consteval SliceTables make_tables() {
  SliceTables tables{};
  for (u32 byte = 0; byte < 256; ++byte) {
    u32 remainder = byte;
    for (unsigned bit = 0; bit < 8; ++bit)
      remainder = remainder >> 1 ^ ((remainder & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = remainder;
  }
  for (std::size_t n = 1; n < kSlices; ++n)
    for (std::size_t byte = 0; byte < 256; ++byte)
      tables[n][byte] = tables[n - 1][byte] >> 8 ^ tables[0][tables[n - 1][byte] & 0xff];
  return tables;
}
constexpr SliceTables kTables = make_tables();

}  // namespace

u16 internet_sum(std::span<const u8> bytes) {
  // In the host's order (little-endian): the sum of words with their bytes exchanged is the sum
  // with its bytes exchanged.
  u64 sum = 0;
  const u8* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 4; at += 4, left -= 4) {
    u32 word;
    std::memcpy(&word, at, 4);
    sum += word;
  }
  u32 last = 0;
  for (std::size_t n = 0; n < left; ++n) last |= u32{at[n]} << (8 * n);
  const u16 swapped = folded(sum + last);
  return static_cast<u16>(swapped >> 8 | swapped << 8);
}

u16 pseudo_header_sum(std::span<const u8> ip, bool version6, u8 protocol, u32 length) {
  const auto addresses = version6 ? ip.subspan(8, 32) : ip.subspan(12, 8);
  return folded(u64{internet_sum(addresses)} + protocol + (length >> 16) + (length & 0xffff));
}

u32 frame_check(std::span<const u8> frame) {
  u32 remainder = ~u32{0};
  const u8* at = frame.data();
  std::size_t left = frame.size();
  for (; left >= 8; at += 8, left -= 8) {
    u32 low, high;
    std::memcpy(&low, at, 4);
    std::memcpy(&high, at + 4, 4);
    low ^= remainder;
    remainder = kTables[7][low & 0xff] ^ kTables[6][low >> 8 & 0xff] ^
                kTables[5][low >> 16 & 0xff] ^ kTables[4][low >> 24] ^ kTables[3][high & 0xff] ^
                kTables[2][high >> 8 & 0xff] ^ kTables[1][high >> 16 & 0xff] ^
                kTables[0][high >> 24];
  }
  for (; left > 0; ++at, --left) remainder = remainder >> 8 ^ kTables[0][(remainder ^ *at) & 0xff];
  return ~remainder;
}

}  // namespace rhea::hw
