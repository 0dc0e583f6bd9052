// SPDX-License-Identifier: GPL-2.0-or-later
// e1000: what descriptors become on the wire.
#include "hw/net/frame_sums.h"
#include "tests/net/e1000_bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using namespace hw::e1000;
using namespace e1000_reg;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class E1000Transmit : public testing::Test {
 protected:
  E1000Transmit() { e1000.start(); }
  /// Sends a packet with a context, all in one descriptor; what came of it.
  std::vector<FrameBytes> offload(const PacketShape& shape, std::size_t segment, u32 commands = 0) {
    const FrameBytes frame = packet(shape);
    e1000.queue(context_for(shape, segment));
    const u32 options = kOptionTcpUdp | (shape.version6 ? 0u : kOptionIp);
    e1000.queue(data_of(e1000.place(frame), frame.size(),
                        kSendEnd | (segment != 0 ? kSendSegments : 0) | commands, options));
    EXPECT_TRUE(e1000.send());
    return e1000.peer.take_all();
  }
  E1000Bench e1000;
};

const FrameBytes kFromGuest = frame_to(kPeerMac, 100);

TEST_F(E1000Transmit, LegacyDescriptorIsAFrame) {
  e1000.queue_legacy(kFromGuest);
  ASSERT_TRUE(e1000.send());
  EXPECT_THAT(e1000.peer.take_all(), ElementsAre(kFromGuest));
  EXPECT_EQ(e1000.send_status(0), kSendDone);
  EXPECT_EQ(e1000.get(kIcr), kIntSent | kIntSendEmpty);
}

TEST_F(E1000Transmit, DescriptorsUpToTheEndAreOneFrame) {
  const std::span all(kFromGuest);
  e1000.queue({.address = e1000.place(all.first(20)), .lower = 20 | kSendReport});
  e1000.queue({.address = e1000.place(all.subspan(20, 30)), .lower = 30});
  e1000.queue_legacy(all.subspan(50));
  ASSERT_TRUE(e1000.send());
  EXPECT_THAT(e1000.peer.take_all(), ElementsAre(kFromGuest));
  EXPECT_EQ(e1000.send_status(0), kSendDone);
  EXPECT_EQ(e1000.send_status(1), 0);
}

TEST_F(E1000Transmit, EitherReportGivesTheDescriptorBack) {
  const u64 at = e1000.place(kFromGuest);
  e1000.queue({.address = at, .lower = 100 | kSendEnd | 1u << 27});
  e1000.queue({.address = at, .lower = 100 | kSendEnd | 1u << 28});
  ASSERT_TRUE(e1000.send());
  EXPECT_EQ(e1000.send_status(0), kSendDone);
  EXPECT_EQ(e1000.send_status(1), kSendDone);
}

TEST_F(E1000Transmit, FailuresOfTheDescriptorsLastUseAreNotReported) {
  e1000.queue_legacy(kFromGuest, 0, 0xe);
  ASSERT_TRUE(e1000.send());
  EXPECT_EQ(e1000.send_status(0), kSendDone);
}

TEST_F(E1000Transmit, ShortFramesArePadded) {
  FrameBytes padded = frame_to(kPeerMac, 20);
  e1000.queue_legacy(padded);
  ASSERT_TRUE(e1000.send());
  padded.resize(60);
  EXPECT_THAT(e1000.peer.take_all(), ElementsAre(padded));
}

TEST_F(E1000Transmit, NothingIsSentOfNothing) {
  e1000.queue({.address = E1000Bench::kData, .lower = kSendEnd | kSendReport});
  ASSERT_TRUE(e1000.send());
  EXPECT_THAT(e1000.peer.take_all(), IsEmpty());
  EXPECT_EQ(e1000.send_status(0), kSendDone);
}

TEST_F(E1000Transmit, GuestsOwnCheckSequenceIsNotSentTwice) {
  FrameBytes with_check = kFromGuest;
  with_check.resize(104);
  const u32 check = hw::frame_check(kFromGuest);
  std::memcpy(with_check.data() + 100, &check, 4);
  e1000.queue({.address = e1000.place(with_check), .lower = 104 | kSendEnd});
  ASSERT_TRUE(e1000.send());
  EXPECT_THAT(e1000.peer.take_all(), ElementsAre(kFromGuest));
}

TEST(FrameSums, CheckSequenceIsEthernets) {
  // The polynomial's usual check.
  const FrameBytes digits = {'1', '2', '3', '4', '5', '6', '7', '8', '9'};
  EXPECT_EQ(hw::frame_check(digits), 0xcbf4'3926);
}

TEST(FrameSums, SumIsTheSameWordByWord) {
  const FrameBytes bytes = frame_to(kPeerMac, 1513);
  EXPECT_EQ(hw::internet_sum(bytes), plain_sum(bytes, 0, bytes.size()));
  EXPECT_EQ(hw::internet_sum(std::span(bytes).subspan(3, 7)), plain_sum(bytes, 3, 10));
}

TEST_F(E1000Transmit, RingWraps) {
  for (unsigned n = 0; n < 3 * E1000Bench::kEntries; ++n) {
    e1000.queue_legacy(frame_to(kPeerMac, 60 + n));
    ASSERT_TRUE(e1000.send());
  }
  const auto sent = e1000.peer.take_all();
  ASSERT_THAT(sent, SizeIs(3 * E1000Bench::kEntries));
  EXPECT_EQ(sent.back(), frame_to(kPeerMac, 60 + 3 * E1000Bench::kEntries - 1));
}

TEST_F(E1000Transmit, LegacyChecksumGoesWhereTheDescriptorSays) {
  const PacketShape shape{.protocol = 17, .payload = 33};
  e1000.queue_legacy(packet(shape), kSendChecksum | static_cast<u32>(shape.sum_at()) << 16,
                     static_cast<u32>(shape.l4()) << 8);
  ASSERT_TRUE(e1000.send());
  const auto sent = e1000.peer.take_all();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_TRUE(l4_sum_is_right(sent[0], shape));
}

TEST_F(E1000Transmit, ChecksumsAreInserted) {
  const PacketShape shape{.payload = 101};
  const auto sent = offload(shape, 0);
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_TRUE(ip_sum_is_right(sent[0]));
  EXPECT_TRUE(l4_sum_is_right(sent[0], shape));
}

TEST_F(E1000Transmit, ChecksumOfUdpIsNeverZero) {
  const PacketShape shape{.protocol = 17, .payload = 2};
  FrameBytes frame = packet(shape);
  put_word(frame, 42, 2, 0);
  put_word(frame, 42, 2, 0xffff - plain_sum(frame, shape.l4(), frame.size()));
  e1000.queue(context_for(shape));
  e1000.queue(data_of(e1000.place(frame), frame.size(), kSendEnd, kOptionTcpUdp));
  ASSERT_TRUE(e1000.send());
  const auto sent = e1000.peer.take_all();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(word_at(sent[0], shape.sum_at(), 2), 0xffffu);
}

TEST_F(E1000Transmit, SegmentsOfIpv4) {
  const PacketShape shape{.payload = 2500, .length_in_sum = false};
  const auto sent = offload(shape, 1000);
  ASSERT_THAT(sent, SizeIs(3));
  EXPECT_EQ(sent[0].size(), 54 + 1000u);
  EXPECT_EQ(sent[2].size(), 54 + 500u);
  EXPECT_EQ(word_at(sent[2], 16, 2), 40 + 500u);
  EXPECT_EQ(word_at(sent[2], 18, 2), 0x1234u + 2);
  EXPECT_EQ(word_at(sent[1], 38, 4), 0x1000'0000u + 1000);
  EXPECT_EQ(sent[1][47], 0x10);
  EXPECT_EQ(sent[2][47], 0x19);
  EXPECT_TRUE(ip_sum_is_right(sent[1]));
  EXPECT_TRUE(l4_sum_is_right(sent[0], shape));
  EXPECT_TRUE(l4_sum_is_right(sent[2], shape));
  const FrameBytes whole = packet(shape);
  EXPECT_TRUE(std::equal(sent[2].begin() + 54, sent[2].end(), whole.begin() + 54 + 2000));
}

TEST_F(E1000Transmit, SegmentsOfIpv6) {
  const PacketShape shape{.version6 = true, .payload = 1500, .length_in_sum = false};
  const auto sent = offload(shape, 1000);
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(word_at(sent[1], 18, 2), 20 + 500u);
  EXPECT_TRUE(l4_sum_is_right(sent[0], shape));
  EXPECT_TRUE(l4_sum_is_right(sent[1], shape));
}

TEST_F(E1000Transmit, SegmentsOfUdpHaveTheirLengths) {
  const PacketShape shape{.protocol = 17, .payload = 1100, .length_in_sum = false};
  const auto sent = offload(shape, 1000);
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(word_at(sent[1], 38, 2), 8 + 100u);
  EXPECT_TRUE(l4_sum_is_right(sent[1], shape));
}

TEST_F(E1000Transmit, NoEmptySegmentFollowsAMultipleOfTheSegments) {
  const PacketShape shape{.payload = 3000, .length_in_sum = false};
  const auto sent = offload(shape, 1000);
  ASSERT_THAT(sent, SizeIs(3));
  EXPECT_EQ(sent[2].size(), 54 + 1000u);
  EXPECT_EQ(sent[2][47], 0x19);
}

TEST_F(E1000Transmit, SegmentsComeFromManyDescriptors) {
  const PacketShape shape{.payload = 2000, .length_in_sum = false};
  const FrameBytes frame = packet(shape);
  const std::span all(frame);
  const u32 options = kOptionIp | kOptionTcpUdp;
  e1000.queue(context_for(shape, 1000));
  e1000.queue(data_of(e1000.place(all.first(30)), 30, kSendSegments, options));
  e1000.queue(data_of(e1000.place(all.subspan(30, 24)), 24, kSendSegments, 0));
  e1000.queue(data_of(e1000.place(all.subspan(54, 1500)), 1500, kSendSegments, 0));
  e1000.queue(data_of(e1000.place(all.subspan(1554)), 500, kSendSegments | kSendEnd, 0));
  ASSERT_TRUE(e1000.send());
  const auto sent = e1000.peer.take_all();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_TRUE(l4_sum_is_right(sent[0], shape));
  EXPECT_TRUE(l4_sum_is_right(sent[1], shape));
  EXPECT_EQ(e1000.get(kStatistics + 62 * 4), 1u);
}

TEST_F(E1000Transmit, TagsAreInserted) {
  e1000.set(kCtrl, e1000.get(kCtrl) | kVlanMode);
  e1000.queue_legacy(kFromGuest, kSendTag, 0x2064u << 16);
  ASSERT_TRUE(e1000.send());
  FrameBytes tagged = kFromGuest;
  tagged.insert(tagged.begin() + 12, {0x81, 0x00, 0x20, 0x64});
  EXPECT_THAT(e1000.peer.take_all(), ElementsAre(tagged));
}

TEST_F(E1000Transmit, NoTagWithoutVlanMode) {
  e1000.queue_legacy(kFromGuest, kSendTag, 0x2064u << 16);
  ASSERT_TRUE(e1000.send());
  EXPECT_THAT(e1000.peer.take_all(), ElementsAre(kFromGuest));
}

TEST_F(E1000Transmit, WhatTheBackEndDoesNotTakeIsKeptInOrder) {
  e1000.peer.room_for(1);
  for (unsigned n = 0; n < 4; ++n) e1000.queue_legacy(frame_to(kPeerMac, 60 + n));
  ASSERT_TRUE(e1000.send());
  EXPECT_THAT(e1000.peer.take_all(), SizeIs(1));
  e1000.peer.room_for(100);
  e1000.settle();
  const auto rest = e1000.peer.take_all();
  ASSERT_THAT(rest, SizeIs(3));
  EXPECT_EQ(rest[2].size(), 63u);
}

TEST_F(E1000Transmit, FramesOnTheirWayAreSavedAndSentByTheOther) {
  e1000.peer.room_for(0);
  e1000.queue_legacy(kFromGuest);
  const std::span all(kFromGuest);
  e1000.queue({.address = e1000.place(all.first(20)), .lower = 20});
  ASSERT_TRUE(e1000.send());
  const auto saved = e1000.bench.save();
  E1000Bench other;
  ASSERT_TRUE(other.bench.load(saved));
  EXPECT_EQ(other.bench.save(), saved);
  const FrameBytes rest(kFromGuest.begin() + 20, kFromGuest.end());
  other.bench.write(E1000Bench::kData, rest);
  const SendWords words{.address = E1000Bench::kData, .lower = 80 | kSendEnd | kSendCheckInserted};
  other.bench.write(E1000Bench::kSendRing + 32, {reinterpret_cast<const u8*>(&words), 16});
  other.set(kTdt, 3);
  EXPECT_EQ(other.peer.take(), kFromGuest);
  EXPECT_EQ(other.peer.take(), kFromGuest);
}

TEST_F(E1000Transmit, StatisticsCountFrames) {
  e1000.queue_legacy(kFromGuest);
  e1000.queue_legacy(frame_to(std::vector<u8>(6, 0xff), 60));
  ASSERT_TRUE(e1000.send());
  EXPECT_EQ(e1000.get(kStatistics + 4 * kSentGood), 2u);
  EXPECT_EQ(e1000.get(kStatistics + 4 * kSentGood), 0u);
  EXPECT_EQ(e1000.get(kStatistics + 4 * kSentBroadcast), 1u);
  EXPECT_EQ(e1000.get(kStatistics + 4 * kSent64), 1u);
  EXPECT_EQ(e1000.get(kStatistics + 4 * kSentOctets), 104u + 64);
  EXPECT_EQ(e1000.get(kStatistics + 4 * (kSentOctets + 1)), 0u);
  EXPECT_EQ(e1000.get(kStatistics + 4 * kSentOctets), 0u);
}

// What no driver does.

TEST_F(E1000Transmit, TailOutsideOfTheRingSendsNothing) {
  e1000.queue_legacy(kFromGuest);
  e1000.set(kTdt, 200);
  e1000.settle();
  EXPECT_EQ(e1000.get(kTdh), 0u);
  EXPECT_THAT(e1000.peer.take_all(), IsEmpty());
}

TEST_F(E1000Transmit, RingOutsideOfMemorySendsNothing) {
  e1000.set(kTdbal, 0xf000'0000);
  e1000.set(kTdt, 3);
  e1000.settle();
  e1000.set(kTdbal, E1000Bench::kSendRing);
  e1000.set(kTdt, 0);
  e1000.settle();
  EXPECT_EQ(e1000.get(kTdh) % E1000Bench::kEntries, e1000.get(kTdh));
}

TEST_F(E1000Transmit, TooLongAFrameIsDroppedAndTheNextOneIsSent) {
  e1000.queue({.address = E1000Bench::kData, .lower = 0xfff0});
  e1000.queue_legacy(kFromGuest);
  e1000.queue_legacy(kFromGuest);
  ASSERT_TRUE(e1000.send());
  EXPECT_THAT(e1000.peer.take_all(), ElementsAre(kFromGuest));
}

TEST_F(E1000Transmit, ChecksumsOutsideOfTheFrameAreLeftOut) {
  e1000.queue_legacy(kFromGuest, kSendChecksum | 99u << 16, 10u << 8);
  e1000.queue_legacy(kFromGuest, kSendChecksum | 12u << 16, 100u << 8);
  ASSERT_TRUE(e1000.send());
  EXPECT_THAT(e1000.peer.take_all(), ElementsAre(kFromGuest, kFromGuest));
}

TEST_F(E1000Transmit, SegmentsWithoutLengthAreOneFrame) {
  const PacketShape shape{.payload = 200};
  SendWords context = context_for(shape, 1);
  context.upper = 0;
  const FrameBytes frame = packet(shape);
  e1000.queue(context);
  e1000.queue(data_of(e1000.place(frame), frame.size(), kSendEnd | kSendSegments, 0));
  ASSERT_TRUE(e1000.send());
  EXPECT_THAT(e1000.peer.take_all(), ElementsAre(frame));
}

TEST_F(E1000Transmit, ContextWithoutLengthAmongSegmentsComesToAnEnd) {
  const PacketShape shape{.payload = 600, .length_in_sum = false};
  const FrameBytes frame = packet(shape);
  const u64 at = e1000.place(frame);
  SendWords without = context_for(shape, 1);
  without.upper = 0;
  e1000.queue(context_for(shape, 500));
  e1000.queue(data_of(at, 100, kSendSegments, kOptionTcpUdp));
  e1000.queue(without);
  e1000.queue(data_of(at + 100, frame.size() - 100, kSendEnd | kSendSegments, 0));
  e1000.peer.room_for(100000);
  EXPECT_TRUE(e1000.send());
  EXPECT_LE(e1000.peer.take_all().size(), 600u);
}

TEST_F(E1000Transmit, MegabyteOfOneByteSegmentsEnds) {
  const PacketShape shape{.payload = 200};
  e1000.queue(context_for(shape, 1));
  e1000.queue(data_of(0x1000, 0xfffff, kSendEnd | kSendSegments, kOptionTcpUdp));
  e1000.peer.room_for(1000);
  e1000.go();
  e1000.settle();
  EXPECT_LE(e1000.peer.take_all().size(), 1000u);
}

}  // namespace
}  // namespace rhea::test
