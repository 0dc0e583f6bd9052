// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/net/flow_hash.h"

#include "hw/net/frame_sums.h"

namespace rhea::hw {
namespace {

constexpr std::size_t kIp = 14, kIpv4Header = 20, kIpv6Header = 40;
constexpr u16 kIpv4 = 0x0800, kIpv6 = 0x86dd, kFragment = 0x3fff;
constexpr u8 kTcp = 6, kUdp = 17;

u8 mixed(u32 word) {
  word *= 0x9e37'79b1;
  return static_cast<u8>(word >> 24);
}

u32 ports(Frame l4, u8 protocol) {
  if ((protocol != kTcp && protocol != kUdp) || l4.size() < 4) return 0;
  return u32{be16(l4, 0)} ^ be16(l4, 2);
}

}  // namespace

// Exclusive-or does not know which side is which.
u8 flow_hash(Frame frame) {
  if (frame.size() < kIp + kIpv4Header) return 0;
  const Frame ip = frame.subspan(kIp);
  const u16 type = be16(frame, kIp - 2);
  if (type == kIpv4) {
    const std::size_t header = (ip[0] & 0xf) * std::size_t{4};
    const bool whole = (be16(ip, 6) & kFragment) == 0 && header <= ip.size();
    const u32 addresses = be32(ip, 12) ^ be32(ip, 16);
    return mixed(addresses ^ (whole ? ports(ip.subspan(header), ip[9]) : 0));
  }
  if (type != kIpv6 || ip.size() < kIpv6Header) return 0;
  u32 addresses = 0;
  for (std::size_t at = 8; at < kIpv6Header; at += 4) addresses ^= be32(ip, at);
  return mixed(addresses ^ ports(ip.subspan(kIpv6Header), ip[6]));
}

}  // namespace rhea::hw
