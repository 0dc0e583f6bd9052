// SPDX-License-Identifier: GPL-2.0-or-later
// What the network device does for its guest: checksums, TCP segments, UDP fragments; and what
// becomes of those that cannot be.
#include "hw/net/frame_sums.h"
#include "hw/net/received_sums.h"
#include "tests/support/environment.h"
#include "tests/virtio/net_fixture.h"

#include <gtest/gtest.h>

#include <random>

namespace rhea::test {
namespace {

using hw::be16;
using hw::be32;
using hw::check_sums;
using hw::SumCheck;

constexpr u64 kOffloadBits =
    hw::virtio::bit(net_bits::kSums) | hw::virtio::bit(net_bits::kHostTso4) |
    hw::virtio::bit(net_bits::kHostTso6) | hw::virtio::bit(net_bits::kHostUfo) |
    hw::virtio::bit(net_bits::kHostEcn);

FrameBytes ethernet(unsigned type) {
  FrameBytes frame{0x52, 0x55, 0, 0, 0, 1, 0x52, 0x54, 0, 0x12, 0x34, 0x56};
  put_word(frame, type);
  return frame;
}
void add_data(FrameBytes& frame, std::size_t bytes) {
  for (std::size_t n = 0; n < bytes; ++n) frame.push_back(static_cast<u8>(n * 7 + n / 256));
}
FrameBytes ipv4(u8 protocol, std::size_t payload) {
  FrameBytes frame = ethernet(0x0800);
  put_word(frame, 0x4500);
  put_word(frame, static_cast<unsigned>(20 + payload));
  put_word(frame, 0x1234);
  put_word(frame, 0);
  put_word(frame, 0x4000U | protocol);
  put_word(frame, 0);
  for (const u8 byte : {10, 0, 2, 15, 10, 0, 2, 2}) frame.push_back(byte);
  return frame;
}
FrameBytes ipv6(u8 protocol, std::size_t payload) {
  FrameBytes frame = ethernet(0x86dd);
  put_word(frame, 0x6000);
  put_word(frame, 0);
  put_word(frame, static_cast<unsigned>(payload));
  put_word(frame, unsigned{protocol} << 8 | 64);
  for (unsigned n = 0; n < 32; ++n) frame.push_back(static_cast<u8>(n));
  return frame;
}
/// A TCP header of 20 bytes; the sum is the driver's affair.
void add_tcp(FrameBytes& frame, u8 flags) {
  put_word(frame, 1025);
  put_word(frame, 80);
  put_word(frame, 0);
  put_word(frame, 1000);
  put_word(frame, 0);
  put_word(frame, 0);
  put_word(frame, 0x5000U | flags);
  put_word(frame, 8192);
  put_word(frame, 0);
  put_word(frame, 0);
}
void add_udp(FrameBytes& frame, std::size_t data) {
  put_word(frame, 1025);
  put_word(frame, 53);
  put_word(frame, static_cast<unsigned>(8 + data));
  put_word(frame, 0);
}

class VirtioNetOffloads : public VirtioNetTest {
 protected:
  void use_offloads(const Properties& more = {}) { use(more, kUsual | kOffloadBits); }
  /// All frames of one that was sent.
  std::vector<FrameBytes> sent(const FrameBytes& frame, const Header& said) {
    send(frame, said);
    std::vector<FrameBytes> all;
    while (auto one = first_or_next(all.empty())) all.push_back(std::move(*one));
    return all;
  }
  std::optional<FrameBytes> first_or_next(bool first) {
    if (first) return peer.take();
    if (rest.empty()) rest = peer.take_all();
    if (rest.empty()) return std::nullopt;
    FrameBytes one = rest.front();
    rest.erase(rest.begin());
    return one;
  }
  std::vector<FrameBytes> rest;
};

TEST_F(VirtioNetOffloads, FillsInAChecksum) {
  use_offloads();
  FrameBytes frame = ipv4(17, 28);
  add_udp(frame, 20);
  add_data(frame, 20);
  const u16 pseudo = hw::pseudo_header_sum(std::span(frame).subspan(14), false, 17, 28);
  hw::put_be16(frame, 40, pseudo);
  send(frame, {.flags = 1, .sum_start = 34, .sum_offset = 6});
  const auto got = peer.take();
  ASSERT_TRUE(got);
  EXPECT_EQ(check_sums(*got, 14).tcp_udp, SumCheck::Result::Good);
}

TEST_F(VirtioNetOffloads, AChecksumOutsideOfTheFrameChangesNothing) {
  use_offloads();
  send(frame_to_it(), {.flags = 1, .sum_start = 60000, .sum_offset = 60000});
  EXPECT_EQ(peer.take(), frame_to_it());
}

TEST_F(VirtioNetOffloads, CutsTcpOverIpv4) {
  use_offloads();
  FrameBytes frame = ipv4(6, 20 + 2500);
  add_tcp(frame, 0x99);  // CWR, ACK, PSH, FIN
  add_data(frame, 2500);
  const auto all = sent(frame, {.flags = 1,
                                .gso = 1 | 0x80,
                                .header_bytes = 54,
                                .segment = 1000,
                                .sum_start = 34,
                                .sum_offset = 16});
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].size(), 1054u);
  EXPECT_EQ(all[2].size(), 554u);
  EXPECT_EQ(check_sums(all[0], 14).ip, SumCheck::Result::Good);
  EXPECT_EQ(check_sums(all[0], 14).tcp_udp, SumCheck::Result::Good);
  EXPECT_EQ(check_sums(all[1], 14).tcp_udp, SumCheck::Result::Good);
  EXPECT_EQ(check_sums(all[2], 14).tcp_udp, SumCheck::Result::Good);
  EXPECT_EQ(be32(all[1], 38), 2000u) << "sequence number";
  EXPECT_EQ(be16(all[2], 18), 0x1236u) << "identification";
  EXPECT_EQ(all[0][47], 0x90u) << "CWR in the first, FIN and PSH in the last";
  EXPECT_EQ(all[1][47], 0x10u);
  EXPECT_EQ(all[2][47], 0x19u);
  FrameBytes data(all[0].begin() + 54, all[0].end());
  data.insert(data.end(), all[1].begin() + 54, all[1].end());
  data.insert(data.end(), all[2].begin() + 54, all[2].end());
  EXPECT_EQ(data, FrameBytes(frame.begin() + 54, frame.end()));
}

TEST_F(VirtioNetOffloads, APayloadOfWholeSegmentsHasNoEmptyOneBehind) {
  use_offloads();
  FrameBytes frame = ipv4(6, 20 + 2000);
  add_tcp(frame, 0x10);
  add_data(frame, 2000);
  EXPECT_EQ(sent(frame, {.flags = 1, .gso = 1, .segment = 1000}).size(), 2u);
}

TEST_F(VirtioNetOffloads, CutsTcpOverIpv6) {
  use_offloads();
  FrameBytes frame = ipv6(6, 20 + 1500);
  add_tcp(frame, 0x18);
  add_data(frame, 1500);
  const auto all = sent(frame, {.flags = 1, .gso = 4, .segment = 1000});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(check_sums(all[0], 14).tcp_udp, SumCheck::Result::Good);
  EXPECT_EQ(check_sums(all[1], 14).tcp_udp, SumCheck::Result::Good);
  EXPECT_EQ(be16(all[1], 18), 520u) << "payload length";
}

TEST_F(VirtioNetOffloads, CutsUdpOverIpv4IntoFragments) {
  use_offloads();
  FrameBytes frame = ipv4(17, 8 + 2000);
  add_udp(frame, 2000);
  add_data(frame, 2000);
  const auto all =
      sent(frame, {.flags = 1, .gso = 3, .segment = 1480, .sum_start = 34, .sum_offset = 6});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(be16(all[0], 20), 0x2000u);
  EXPECT_EQ(be16(all[1], 20), 1480u / 8);
  EXPECT_EQ(be16(all[0], 18), be16(all[1], 18));
  EXPECT_EQ(check_sums(all[1], 14).ip, SumCheck::Result::Good);
  FrameBytes whole = ipv4(17, 8 + 2000);
  whole.insert(whole.end(), all[0].begin() + 34, all[0].end());
  whole.insert(whole.end(), all[1].begin() + 34, all[1].end());
  EXPECT_EQ(check_sums(whole, 14).tcp_udp, SumCheck::Result::Good);
}

TEST_F(VirtioNetOffloads, CutsUdpOverIpv6WithAHeaderForFragments) {
  use_offloads();
  FrameBytes frame = ipv6(17, 8 + 2000);
  add_udp(frame, 2000);
  add_data(frame, 2000);
  const auto all = sent(frame, {.flags = 1, .gso = 3, .segment = 1000});
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0][20], 44);
  EXPECT_EQ(all[0][54], 17);
  EXPECT_EQ(be16(all[0], 56), 1u);
  EXPECT_EQ(be16(all[1], 56), 1000u | 1);
  EXPECT_EQ(be16(all[2], 56), 2000u);
  EXPECT_EQ(be32(all[0], 58), be32(all[2], 58));
  EXPECT_EQ(be16(all[2], 18), 8u + 8);
}

TEST_F(VirtioNetOffloads, CutsBehindAVlanTag) {
  use_offloads();
  FrameBytes frame = ipv4(6, 20 + 1500);
  frame.insert(frame.begin() + 12, {0x81, 0, 0, 7});
  add_tcp(frame, 0x10);
  add_data(frame, 1500);
  const auto all = sent(frame, {.flags = 1, .gso = 1, .segment = 1000});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(check_sums(all[1], 18).tcp_udp, SumCheck::Result::Good);
}

TEST_F(VirtioNetOffloads, WhatCannotBeCutComesBackUnsent) {
  use_offloads();
  FrameBytes frame = ipv4(6, 20 + 1500);
  add_tcp(frame, 0x10);
  add_data(frame, 1500);
  send(frame, {.gso = 1, .segment = 0});
  send(frame, {.gso = 4, .segment = 1000});
  send(frame, {.gso = 9, .segment = 1000});
  send(frame, {.gso = 1, .segment = 60000});
  send(frame_to_it(), {.gso = 1, .segment = 1000});
  send(FrameBytes(frame.begin(), frame.begin() + 40), {.gso = 1, .segment = 1000});
  send(frame_to_it(99));
  EXPECT_EQ(peer.take(), frame_to_it(99));
  unsigned given_back = 0;
  while (sending->take_used()) ++given_back;
  EXPECT_EQ(given_back, 7u);
}

TEST_F(VirtioNetOffloads, AFrameOfManySegmentsWaitsForRoomAndIsSaved) {
  peer.room_for(0);
  use_offloads();
  FrameBytes frame = ipv4(6, 20 + 30000);
  add_tcp(frame, 0x10);
  add_data(frame, 30000);
  send(frame, {.flags = 1, .gso = 1, .segment = 100});
  EXPECT_EQ(sending->take_used(), std::nullopt);
  bench.machine().pause();
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(bench.save(), saved);
  bench.machine().resume();
  peer.room_for(1000);
  unsigned count = 0;
  while (count < 300 && peer.take()) ++count;
  EXPECT_EQ(count, 300u);
  EXPECT_TRUE(sending->take_used());
}

TEST_F(VirtioNetOffloads, ACutOfAPairThatIsUsedNoMoreKeepsNobodyWaiting) {
  constexpr u64 kMany = hw::virtio::bit(net_bits::kMultiQueue);
  peer.offer_queues(2);
  peer.room_for(0);
  control = 4;
  use({{"mq", "on"}}, kUsual | kCommands | kOffloadBits | kMany);
  auto sending2 = queue(3, 0xc'0000, false);
  ASSERT_EQ(command(kPairs, 0, {2, 0}), kAckFine);
  FrameBytes frame = ipv4(6, 20 + 30000);
  add_tcp(frame, 0x10);
  add_data(frame, 30000);
  sending.swap(sending2);
  send(frame, {.flags = 1, .gso = 1, .segment = 100});
  driver->notify(3);
  sending.swap(sending2);
  EXPECT_EQ(sending2->take_used(), std::nullopt);
  EXPECT_EQ(command(kPairs, 0, {1, 0}), kAckFine);
  EXPECT_TRUE(sending2->take_used());
  peer.room_for(1000);
  send(frame_to_it(99));
  std::optional<FrameBytes> got = peer.take();
  while (got && *got != frame_to_it(99)) got = peer.take();
  EXPECT_TRUE(got);
}

TEST_F(VirtioNetOffloads, ADatagramThatNoPacketHoldsIsNotCut) {
  use_offloads();
  FrameBytes frame = ipv4(17, 0);
  add_udp(frame, 0);
  add_data(frame, 65535 - 28 + 1);
  send(frame, {.gso = 3, .segment = 1480});
  FrameBytes frame6 = ipv6(17, 0);
  add_udp(frame6, 0);
  add_data(frame6, 65535 - 8 + 1);
  send(frame6, {.gso = 3, .segment = 1480});
  send(frame_to_it(99));
  EXPECT_EQ(peer.take(), frame_to_it(99));
}

/// A guest that sends and takes anything.
class HostileNetGuest : public VirtioNetTest {
 protected:
  u64 pick(u64 below) { return random() % below; }
  FrameBytes some_frame() {
    FrameBytes frame = pick(2) == 0 ? ipv4(pick(2) == 0 ? 6 : 17, pick(3000))
                                    : ipv6(pick(2) == 0 ? 6 : 17, pick(3000));
    add_tcp(frame, static_cast<u8>(random()));
    add_data(frame, pick(4) == 0 ? pick(20000) : pick(1500));
    for (u64 n = pick(4); n != 0; --n) frame[pick(frame.size())] = static_cast<u8>(random());
    frame.resize(pick(16) == 0 ? pick(frame.size()) : frame.size());
    return frame;
  }
  void send_something() {
    const std::array<u8, 6> kinds{0, 0, 1, 3, 4, 0x81};
    send(some_frame(), {.flags = static_cast<u8>(pick(3)),
                        .gso = pick(32) == 0 ? static_cast<u8>(random()) : kinds[pick(6)],
                        .header_bytes = static_cast<u16>(pick(100)),
                        .segment = static_cast<u16>(pick(8) == 0 ? random() : 100 + pick(1400)),
                        .sum_start = static_cast<u16>(pick(8) == 0 ? random() : pick(60)),
                        .sum_offset = static_cast<u16>(pick(20))});
    if (pick(4) == 0) bench.store(0x6'0000 + pick(0x1000), random(), 1);
  }
  void start_over() {
    for (const u64 at : {0x4'0000, 0x6'0000, 0x8'0000})
      bench.write(at, std::vector<u8>(0x10000, 0));
    driver->map();
    begin(kUsual | kCommands | kOffloadBits | (pick(2) == 0 ? kPacked : 0));
  }
  void save_and_load() {
    bench.machine().pause();
    const auto saved = bench.save();
    refused += !bench.load(saved);
    changed += bench.save() != saved;
    bench.machine().resume();
  }
  void step() {
    const u64 what = pick(100);
    if (what < 40) return send_something();
    if (what < 60) return peer.give(some_frame());
    if (what < 75) return offer(static_cast<unsigned>(pick(4)), pick(4) == 0 ? 40 : kBufferBytes);
    if (what < 85) {
      while (receiving->take_used()) ++answered;
      while (sending->take_used()) ++answered;
      return;
    }
    if (what < 93) {
      command(static_cast<u8>(pick(6)), static_cast<u8>(pick(6)), std::vector<u8>(pick(30), 1));
      return;
    }
    if (what < 94) return start_over();
    if (what < 95) return save_and_load();
    if (what < 96) return peer.room_for(pick(4) == 0 ? 0 : 100000);
    if (what < 97) return peer.netdev().set_link(pick(4) != 0);
    peer.take_all();
    bench.machine().loop().iterate(false);
  }
  std::mt19937_64 random{from_environment("RHEA_RING_SEED", 1)};
  unsigned refused{0}, changed{0}, answered{0};
};

TEST_F(HostileNetGuest, DoesNoHarmAndItsStateIsAlwaysOneThatLoads) {
  use({{"packed", "on"}}, kUsual | kCommands | kOffloadBits);
  const u64 steps = from_environment("RHEA_VIRTIO_STEPS", 3'000);
  for (u64 n = 0; n < steps; ++n) step();
  EXPECT_EQ(refused, 0u);
  EXPECT_EQ(changed, 0u);
  EXPECT_GT(answered, steps / 100);
}

}  // namespace
}  // namespace rhea::test
