// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/net/received_sums.h"

#include "hw/net/frame_sums.h"

namespace rhea::hw {
namespace {

constexpr u16 kIpv4 = 0x0800, kIpv6 = 0x86dd;
constexpr u8 kTcp = 6, kUdp = 17;
constexpr std::size_t kTcpHeader = 20, kUdpHeader = 8, kUdpSumAt = 6;

SumCheck::Result as_result(u16 sum) {
  return sum == 0xffff ? SumCheck::Result::Good : SumCheck::Result::Bad;
}

SumCheck::Result check_payload(Frame ip, bool version6, u8 protocol, Frame payload) {
  if (protocol != kTcp && protocol != kUdp) return {};
  if (payload.size() < (protocol == kTcp ? kTcpHeader : kUdpHeader)) return {};
  if (protocol == kUdp && be16(payload, kUdpSumAt) == 0) return {};
  const u32 length = static_cast<u32>(payload.size());
  return as_result(
      folded(u64{pseudo_header_sum(ip, version6, protocol, length)} + internet_sum(payload)));
}

SumCheck check_ipv4(Frame ip) {
  constexpr std::size_t kHeader = 20;
  SumCheck found{.is_ip = true};
  if (ip.size() < kHeader || ip[0] >> 4 != 4) return {};
  const std::size_t header = (ip[0] & 0xf) * std::size_t{4};
  const std::size_t length = be16(ip, 2);
  if (header < kHeader || header > length || length > ip.size()) return found;
  found.ip = as_result(internet_sum(ip.first(header)));
  const bool fragment = (be16(ip, 6) & 0x3fff) != 0;
  if (!fragment)
    found.tcp_udp = check_payload(ip, false, ip[9], ip.subspan(header, length - header));
  return found;
}

SumCheck check_ipv6(Frame ip) {
  constexpr std::size_t kHeader = 40;
  SumCheck found{.is_ip = true};
  if (ip.size() < kHeader || ip[0] >> 4 != 6) return {};
  const std::size_t length = be16(ip, 4);
  if (length > ip.size() - kHeader) return found;
  found.tcp_udp = check_payload(ip, true, ip[6], ip.subspan(kHeader, length));
  return found;
}

}  // namespace

SumCheck check_sums(Frame frame, std::size_t at) {
  if (frame.size() < at || at < 2) return {};
  const Frame ip = frame.subspan(at);
  switch (be16(frame, at - 2)) {
    case kIpv4: return check_ipv4(ip);
    case kIpv6: return check_ipv6(ip);
    default: return {};
  }
}

}  // namespace rhea::hw
