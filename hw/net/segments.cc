// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/net/segments.h"

#include "hw/net/frame_sums.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr u8 kFin = 0x01, kPush = 0x08;
constexpr std::size_t kIpv6Header = 40;

void add_be16(std::span<u8> frame, std::size_t at, u64 n) {
  if (at + 2 <= frame.size()) put_be16(frame, at, static_cast<u16>(be16(frame, at) + n));
}
void set_be16(std::span<u8> frame, std::size_t at, u64 n) {
  if (at + 2 <= frame.size()) put_be16(frame, at, static_cast<u16>(n));
}

}  // namespace

void adapt_headers(std::span<u8> frame, const SegmentHeaders& headers, const SegmentPlace& place) {
  const auto [ip, l4, ipv4, tcp] = headers;
  if (ipv4) {
    set_be16(frame, ip + 2, frame.size() - std::min(ip, frame.size()));
    add_be16(frame, ip + 4, place.number);
  } else {
    set_be16(frame, ip + 4, frame.size() - std::min(ip + kIpv6Header, frame.size()));
  }
  if (!tcp) return set_be16(frame, l4 + 4, frame.size() - std::min(l4, frame.size()));
  if (l4 + 8 <= frame.size()) put_be32(frame, l4 + 4, be32(frame, l4 + 4) + place.payload);
  if (!place.last && l4 + 13 < frame.size()) frame[l4 + 13] &= static_cast<u8>(~(kFin | kPush));
}

bool insert_sum(std::span<u8> frame, std::size_t start, std::size_t at, std::size_t end,
                bool never_zero) {
  const std::size_t behind = end == 0 ? frame.size() : std::min(frame.size(), end + 1);
  if (start >= behind || at + 2 > frame.size()) return false;
  auto sum = static_cast<u16>(~internet_sum(frame.subspan(start, behind - start)));
  if (sum == 0 && never_zero) sum = 0xffff;
  put_be16(frame, at, sum);
  return true;
}

}  // namespace rhea::hw
