// SPDX-License-Identifier: GPL-2.0-or-later
// rtl8139: what it sends, from its four descriptors and from the rings of C+ mode.
#include "tests/net/rtl8139_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using namespace hw::rtl8139;
using namespace rtl_reg;

const FrameBytes kFrame = frame_to(kPeerMac, 100);
constexpr u64 kNormalRing = Rtl8139Bench::kNormalRing, kHighRing = Rtl8139Bench::kHighRing;

class Rtl8139Transmit : public testing::Test {
 protected:
  Rtl8139Bench rtl;
};

TEST_F(Rtl8139Transmit, FramesLeaveInTheOrderOfDescriptors) {
  rtl.start();
  rtl.send(1, frame_to(kPeerMac, 61));
  rtl.peer.settle();
  EXPECT_EQ(rtl.get(kTsd + 4) & kSendOwn, 0u);
  rtl.send(0, frame_to(kPeerMac, 60));
  EXPECT_EQ(rtl.peer.take(), frame_to(kPeerMac, 60));
  EXPECT_EQ(rtl.peer.take(), frame_to(kPeerMac, 61));
  EXPECT_TRUE(rtl.sent(1));
  EXPECT_EQ(rtl.get(kTsd), kSendOwn | kSendOk | 60);
  EXPECT_EQ(rtl.get(kSummary, 2), 0x300fu);
  EXPECT_EQ(rtl.causes(), kIntSent);
}

TEST_F(Rtl8139Transmit, NothingLeavesBeforeItIsEnabled) {
  rtl.send(0, kFrame);
  rtl.peer.settle();
  EXPECT_TRUE(rtl.peer.take_all().empty());
  rtl.start();
  EXPECT_EQ(rtl.peer.take(), kFrame);
}

TEST_F(Rtl8139Transmit, OwnCheckSequenceIsCutOff) {
  rtl.start();
  rtl.set(kTcr, kOwnCheck);
  rtl.send(0, kFrame);
  EXPECT_EQ(rtl.peer.take(), FrameBytes(kFrame.begin(), kFrame.end() - 4));
}

TEST_F(Rtl8139Transmit, UnreadableFrameIsAbortedAndSentAgainOnDemand) {
  rtl.start();
  rtl.set(kTsad, 0xf000'0000);
  rtl.set(kTsd, 100);
  EXPECT_TRUE(rtl.sent(0));
  EXPECT_EQ(rtl.get(kTsd) & (kSendAborted | kSendOk), kSendAborted);
  EXPECT_EQ(rtl.take_causes(), kIntSendError | kIntSystemError);
  rtl.send(1, frame_to(kPeerMac, 61));
  rtl.set(kTsad, static_cast<u32>(rtl.place(kFrame)));
  rtl.set(kTcr, kClearAbort);
  EXPECT_EQ(rtl.peer.take(), kFrame);
  EXPECT_EQ(rtl.peer.take(), frame_to(kPeerMac, 61));
}

TEST_F(Rtl8139Transmit, LoopedFramesComeBack) {
  rtl.start();
  rtl.set(kTcr, kLoopback);
  rtl.send(0, frame_to(kCardMac, 100));
  EXPECT_TRUE(rtl.cause(kIntReceived));
  EXPECT_EQ(rtl.stored(0), frame_to(kCardMac, 100));
  EXPECT_TRUE(rtl.peer.take_all().empty());
}

TEST_F(Rtl8139Transmit, WaitsForItsPeer) {
  rtl.start();
  rtl.peer.room_for(1);
  for (unsigned n = 0; n < 4; ++n) rtl.send(n, kFrame);
  rtl.peer.settle();
  EXPECT_EQ(rtl.peer.take_all().size(), 1u);
  rtl.peer.room_for(100);
  EXPECT_TRUE(rtl.sent(3));
  rtl.peer.settle();
  EXPECT_EQ(rtl.peer.take_all().size(), 3u);
}

TEST_F(Rtl8139Transmit, RingsSendWhenTheyArePolled) {
  rtl.start_plus();
  rtl.put_frame(kNormalRing, 0, kFrame);
  rtl.put_frame(kNormalRing, 1, frame_to(kPeerMac, 40));
  rtl.peer.settle();
  EXPECT_TRUE(rtl.peer.take_all().empty());
  rtl.poll();
  EXPECT_EQ(rtl.peer.take(), kFrame);
  EXPECT_EQ(rtl.peer.take()->size(), 60u);
  EXPECT_TRUE(rtl.cause(kIntSent | kIntNothingToSend));
  EXPECT_EQ(rtl.words(kNormalRing, 0).command, kFirst | kLast | 100u);
}

TEST_F(Rtl8139Transmit, RingBeginsAgainAtItsEnd) {
  rtl.start_plus();
  for (unsigned n = 0; n < 4; ++n) rtl.put_frame(kNormalRing, n, frame_to(kPeerMac, 60 + n));
  rtl.poll();
  for (unsigned n = 0; n < 4; ++n) EXPECT_EQ(rtl.peer.take()->size(), 60 + n);
  ASSERT_TRUE(rtl.cause(kIntNothingToSend));
  EXPECT_EQ(rtl.words(kNormalRing, 3).command & (kOwn | kEndOfRing), kEndOfRing);
  rtl.put_frame(kNormalRing, 0, frame_to(kPeerMac, 70));
  rtl.poll();
  EXPECT_EQ(rtl.peer.take()->size(), 70u);
}

TEST_F(Rtl8139Transmit, HighPriorityGoesFirst) {
  rtl.start_plus();
  rtl.put_frame(kNormalRing, 0, frame_to(kPeerMac, 70));
  rtl.put_frame(kHighRing, 0, frame_to(kPeerMac, 80));
  rtl.poll(kPollNormal | kPollHigh);
  EXPECT_EQ(rtl.peer.take()->size(), 80u);
  EXPECT_EQ(rtl.peer.take()->size(), 70u);
}

TEST_F(Rtl8139Transmit, FrameMayLieInPieces) {
  rtl.start_plus();
  const std::span whole(kFrame);
  rtl.put_frame(kNormalRing, 0, whole.first(30), 0, 0, kFirst);
  rtl.put_frame(kNormalRing, 1, whole.subspan(30, 30), 0, 0, 0);
  rtl.poll();
  ASSERT_TRUE(rtl.cause(kIntNothingToSend));
  EXPECT_TRUE(rtl.peer.take_all().empty());
  rtl.put_frame(kNormalRing, 2, whole.subspan(60), 0, 0, kLast);
  rtl.poll();
  EXPECT_EQ(rtl.peer.take(), kFrame);
}

TEST_F(Rtl8139Transmit, ChecksumsAreMade) {
  rtl.start_plus();
  const PacketShape tcp{}, udp{.protocol = 17, .payload = 33};
  rtl.put_frame(kNormalRing, 0, packet(tcp), kSendIp | kSendTcp);
  rtl.put_frame(kNormalRing, 1, packet(udp), kSendIp | kSendUdp);
  rtl.put_frame(kNormalRing, 2, packet(tcp));
  rtl.poll();
  EXPECT_EQ(rtl.peer.take(), summed(tcp));
  EXPECT_EQ(rtl.peer.take(), summed(udp));
  EXPECT_EQ(rtl.peer.take(), packet(tcp));
}

TEST_F(Rtl8139Transmit, PaddingIsNotSummed) {
  rtl.start_plus();
  const PacketShape shape{.protocol = 17, .payload = 4};
  FrameBytes padded = packet(shape);
  padded.resize(64, 0xaa);
  rtl.put_frame(kNormalRing, 0, padded, kSendIp | kSendUdp);
  rtl.poll();
  FrameBytes sent = *rtl.peer.take();
  sent.resize(packet(shape).size());
  EXPECT_TRUE(l4_sum_is_right(sent, shape));
}

TEST_F(Rtl8139Transmit, TagIsPutIn) {
  rtl.start_plus();
  rtl.put_frame(kNormalRing, 0, kFrame, 0, kSendTag | 0x3412);
  rtl.poll();
  FrameBytes tagged = kFrame;
  tagged.insert(tagged.begin() + 12, {0x81, 0x00, 0x12, 0x34});
  EXPECT_EQ(rtl.peer.take(), tagged);
}

TEST_F(Rtl8139Transmit, LargeSendIsCut) {
  rtl.start_plus();
  const PacketShape shape{.payload = 2500};
  rtl.put_frame(kNormalRing, 0, packet(shape), kLargeSend | 1000 << 16);
  rtl.poll();
  std::vector<FrameBytes> sent;
  for (unsigned n = 0; n < 3; ++n) sent.push_back(*rtl.peer.take());
  EXPECT_EQ(sent[0].size(), 54u + 1000);
  EXPECT_EQ(sent[2].size(), 54u + 500);
  EXPECT_EQ(word_at(sent[1], 18, 2), 0x1235u);
  EXPECT_EQ(word_at(sent[1], 38, 4), 0x1000'0000u + 1000);
  EXPECT_EQ(word_at(sent[2], 16, 2), 540u);
  EXPECT_EQ(word_at(sent[0], 46, 2), 0x5010u);
  EXPECT_EQ(word_at(sent[2], 46, 2), 0x5019u);
  EXPECT_TRUE(ip_sum_is_right(sent[1]));
  EXPECT_TRUE(l4_sum_is_right(sent[1], {.payload = 1000}));
  EXPECT_TRUE(l4_sum_is_right(sent[2], {.payload = 500}));
  EXPECT_TRUE(rtl.peer.take_all().empty());
}

TEST_F(Rtl8139Transmit, MultipleOfTheSegmentHasNoEmptyEnd) {
  rtl.start_plus();
  rtl.put_frame(kNormalRing, 0, packet({.payload = 2000}), kLargeSend | 1000 << 16);
  rtl.poll();
  ASSERT_TRUE(rtl.cause(kIntNothingToSend));
  rtl.peer.settle();
  EXPECT_EQ(rtl.peer.take_all().size(), 2u);
}

TEST_F(Rtl8139Transmit, LargeSendOfSomethingElseIsAnError) {
  rtl.start_plus();
  rtl.put_frame(kNormalRing, 0, packet({.protocol = 17}), kLargeSend | 50 << 16);
  rtl.put_frame(kNormalRing, 1, kFrame);
  rtl.poll();
  EXPECT_EQ(rtl.peer.take(), kFrame);
  EXPECT_TRUE(rtl.cause(kIntSendError));
}

TEST_F(Rtl8139Transmit, SegmentsOfOneByteEnd) {
  rtl.start_plus();
  rtl.peer.room_for(5000);
  rtl.put_frame(kNormalRing, 0, packet({.payload = 3000}), kLargeSend | 1 << 16);
  rtl.poll();
  EXPECT_TRUE(rtl.bench.run_until([this] { return (rtl.causes() & kIntNothingToSend) != 0; }));
  rtl.peer.settle();
  EXPECT_EQ(rtl.peer.take_all().size(), 3000u);
}

TEST_F(Rtl8139Transmit, FrameWithoutEndGrowsNoFurther) {
  rtl.start_plus();
  rtl.put(kNormalRing, 0, {.command = kOwn | kFirst | 0xffff, .address = 0});
  for (unsigned n = 1; n < 4; ++n)
    rtl.put(kNormalRing, n, {.command = kOwn | 0xffff | (n == 3 ? kEndOfRing : 0), .address = 0});
  rtl.poll();
  ASSERT_TRUE(rtl.cause(kIntNothingToSend));
  rtl.put_frame(kNormalRing, 0, kFrame, 0, 0, kLast);
  rtl.put_frame(kNormalRing, 1, kFrame);
  rtl.poll();
  EXPECT_EQ(rtl.peer.take(), kFrame);
  EXPECT_TRUE(rtl.cause(kIntSendError));
}

TEST_F(Rtl8139Transmit, RingInItsOwnRegistersIsASystemError) {
  rtl.start_plus();
  rtl.set(kTsad, static_cast<u32>(Rtl8139Bench::kMmio));
  rtl.poll();
  EXPECT_TRUE(rtl.cause(kIntSystemError));
  EXPECT_TRUE(rtl.peer.take_all().empty());
}

}  // namespace
}  // namespace rhea::test
