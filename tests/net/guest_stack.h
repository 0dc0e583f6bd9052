// SPDX-License-Identifier: GPL-2.0-or-later
// A guest's network stack of a few lines: enough of ARP, DHCP, UDP, TCP and TFTP to use a user
// network from a test's card.
#pragma once

#include "tests/net/net_card.h"

#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rhea::test {

using Ip = std::array<u8, 4>;
inline constexpr Ip kGuestIp{10, 0, 2, 15}, kGatewayIp{10, 0, 2, 2}, kAnyIp{},
    kAllIp{255, 255, 255, 255};

inline void put16(FrameBytes& bytes, unsigned value) {
  bytes.push_back(static_cast<u8>(value >> 8));
  bytes.push_back(static_cast<u8>(value));
}
inline void put32(FrameBytes& bytes, u32 value) {
  put16(bytes, value >> 16);
  put16(bytes, value & 0xffff);
}
inline void put(FrameBytes& bytes, std::string_view text) {
  bytes.insert(bytes.end(), text.begin(), text.end());
}
inline unsigned get16(const FrameBytes& bytes, std::size_t at) {
  return static_cast<unsigned>(bytes.at(at) << 8 | bytes.at(at + 1));
}
inline u32 get32(const FrameBytes& bytes, std::size_t at) {
  return u32{get16(bytes, at)} << 16 | get16(bytes, at + 2);
}
inline unsigned internet_sum(const FrameBytes& bytes, unsigned sum = 0) {
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += get16(bytes, i);
  if (bytes.size() % 2 != 0) sum += static_cast<unsigned>(bytes.back() << 8);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/// An IP packet of the guest's in a frame.
struct IpFields {
  u8 protocol{17};
  Ip from{kGuestIp};
  Ip to{kGatewayIp};
  unsigned id{1};
  unsigned fragment{0};  ///< the field with its flags
};
inline FrameBytes ip_frame(const IpFields& fields, const FrameBytes& payload) {
  FrameBytes header;
  put16(header, 0x4500);
  put16(header, static_cast<unsigned>(20 + payload.size()));
  put16(header, fields.id);
  put16(header, fields.fragment);
  put16(header, 64U << 8 | fields.protocol);
  put16(header, 0);
  header.insert(header.end(), fields.from.begin(), fields.from.end());
  header.insert(header.end(), fields.to.begin(), fields.to.end());
  const unsigned sum = internet_sum(header);
  header[10] = static_cast<u8>(sum >> 8);
  header[11] = static_cast<u8>(sum);
  FrameBytes frame{0x52, 0x55, 0x0a, 0, 2, 2, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 8, 0};
  frame.insert(frame.end(), header.begin(), header.end());
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}
inline FrameBytes udp_packet(unsigned from_port, unsigned to_port, const FrameBytes& data) {
  FrameBytes packet;
  put16(packet, from_port);
  put16(packet, to_port);
  put16(packet, static_cast<unsigned>(8 + data.size()));
  put16(packet, 0);  // no checksum
  packet.insert(packet.end(), data.begin(), data.end());
  return packet;
}

/// What came in a TCP segment or UDP datagram.
struct Received {
  unsigned from_port{}, to_port{};
  u32 sequence{}, acknowledged{};
  u8 flags{};
  std::string data;
};

class GuestStack {
 public:
  static constexpr u8 kFin = 1, kSyn = 2, kReset = 4, kPush = 8, kAck = 16;

  GuestStack(NetBench& bench, TestCard& card) : bench_(bench), card_(card) {}

  void send(const FrameBytes& frame) { card_.send({frame}); }
  /// Until a frame comes that `wanted` makes something of; nullopt after ten seconds.
  template <class T>
  std::optional<T> expect(
      const std::function<std::optional<T>(const FrameBytes&)>& wanted,
      const std::function<void()>& each_turn = [] {}) {
    std::optional<T> found;
    bench_.eventually([&] {
      each_turn();
      const std::vector<FrameBytes> all = card_.received();
      while (seen_ < all.size() && !found) found = wanted(all[seen_++]);
      return found.has_value();
    });
    return found;
  }

  /// Tells the network whose address is whose, until the gateway answers; false when it does not.
  bool arp() {
    FrameBytes frame(6, 0xff);
    for (const u8 byte :
         {0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0,  1, 0x52, 0x54,
          0x00, 0x12, 0x34, 0x56, 10,   0,    2,    15,   0, 0, 0, 0, 0, 0, 10, 0, 2,    2})
      frame.push_back(byte);
    unsigned turns = 0;
    seen_ = card_.received().size();
    return expect<bool>(
               [](const FrameBytes& f) -> std::optional<bool> {
                 if (f.size() < 42 || get16(f, 12) != 0x0806 || get16(f, 20) != 2) return {};
                 return true;
               },
               [&] {
                 if (turns++ % 2000 == 0) send(frame);
               })
        .has_value();
  }

  /// DHCPDISCOVER; the offer's BOOTP part.
  std::optional<FrameBytes> dhcp_offer() {
    FrameBytes bootp(236, 0);
    bootp[0] = bootp[1] = 1;
    bootp[2] = 6;
    const std::array<u8, 6> mac{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    std::ranges::copy(mac, bootp.begin() + 28);
    for (const u8 byte : {0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255}) bootp.push_back(byte);
    send(ip_frame({.from = kAnyIp, .to = kAllIp}, udp_packet(68, 67, bootp)));
    return expect<FrameBytes>([](const FrameBytes& f) -> std::optional<FrameBytes> {
      if (f.size() < 300 || f[23] != 17 || get16(f, 36) != 68) return {};
      return FrameBytes(f.begin() + 42, f.end());
    });
  }

  void send_udp(Ip to, unsigned from_port, unsigned to_port, std::string_view text) {
    FrameBytes data;
    put(data, text);
    send(ip_frame({.to = to}, udp_packet(from_port, to_port, data)));
  }
  std::optional<Received> expect_udp(unsigned to_port) {
    return expect<Received>([to_port](const FrameBytes& f) -> std::optional<Received> {
      if (f.size() < 42 || get16(f, 12) != 0x0800 || f[23] != 17 || get16(f, 36) != to_port)
        return {};
      const auto end = f.begin() + 34 + static_cast<std::ptrdiff_t>(get16(f, 38));
      return Received{.from_port = get16(f, 34),
                      .to_port = to_port,
                      .sequence = {},
                      .acknowledged = {},
                      .flags = {},
                      .data = std::string(f.begin() + 42, end)};
    });
  }

  /// A segment of the connection from `port` to `to`:`to_port`.
  struct Segment {
    Ip to{kGatewayIp};
    unsigned port{1025}, to_port{};
    u32 sequence{}, acknowledged{};
    u8 flags{};
    std::string_view data{};
  };
  void send_tcp(const Segment& s) {
    FrameBytes tcp;
    put16(tcp, s.port);
    put16(tcp, s.to_port);
    put32(tcp, s.sequence);
    put32(tcp, s.acknowledged);
    put16(tcp, 0x5000U | s.flags);
    put16(tcp, 8192);
    put32(tcp, 0);
    put(tcp, s.data);
    FrameBytes pseudo(kGuestIp.begin(), kGuestIp.end());
    pseudo.insert(pseudo.end(), s.to.begin(), s.to.end());
    put16(pseudo, 6);
    put16(pseudo, static_cast<unsigned>(tcp.size()));
    const unsigned sum = internet_sum(tcp, ~internet_sum(pseudo) & 0xffff);
    tcp[16] = static_cast<u8>(sum >> 8);
    tcp[17] = static_cast<u8>(sum);
    send(ip_frame({.protocol = 6, .to = s.to}, tcp));
  }
  /// The next segment to `port` with any of these flags, or with data.
  std::optional<Received> expect_tcp(unsigned port, u8 flags, bool with_data = false) {
    return expect<Received>([=](const FrameBytes& f) -> std::optional<Received> {
      if (f.size() < 54 || get16(f, 12) != 0x0800 || f[23] != 6 || get16(f, 36) != port) return {};
      Received r{.from_port = get16(f, 34),
                 .to_port = port,
                 .sequence = get32(f, 38),
                 .acknowledged = get32(f, 42),
                 .flags = f[47],
                 .data = {}};
      const std::size_t begin = 34 + (f[46] >> 4) * 4U, end = 14 + get16(f, 16);
      r.data.assign(f.begin() + static_cast<std::ptrdiff_t>(begin),
                    f.begin() + static_cast<std::ptrdiff_t>(end));
      if ((r.flags & flags) == 0 || (with_data && r.data.empty())) return {};
      return r;
    });
  }
  /// Connects, says `text`, and returns what is answered first.
  std::optional<std::string> talk_tcp(Ip to, unsigned to_port, std::string_view text,
                                      unsigned port = 1025) {
    send_tcp({.to = to, .port = port, .to_port = to_port, .sequence = 1000, .flags = kSyn});
    const auto answer = expect_tcp(port, kSyn | kReset);
    if (!answer || (answer->flags & kReset) != 0) return {};
    send_tcp({.to = to,
              .port = port,
              .to_port = to_port,
              .sequence = 1001,
              .acknowledged = answer->sequence + 1,
              .flags = kAck | kPush,
              .data = text});
    const auto data = expect_tcp(port, kAck, true);
    return data ? std::optional(data->data) : std::nullopt;
  }

  /// Asks for a file; the first answer's opcode and what follows it: "3" and block and data, or
  /// "5" and the error.
  std::optional<std::string> tftp_read(std::string_view name, unsigned port = 2000) {
    std::string request("\0\1", 2);
    request += name;
    request += std::string("\0octet\0", 7);
    send_udp(kGatewayIp, port, 69, request);
    const auto answer = expect_udp(port);
    return answer ? std::optional(answer->data) : std::nullopt;
  }

 private:
  NetBench& bench_;
  TestCard& card_;
  std::size_t seen_{0};
};

}  // namespace rhea::test
