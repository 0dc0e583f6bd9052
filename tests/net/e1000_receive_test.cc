// SPDX-License-Identifier: GPL-2.0-or-later
// e1000: what frames become in memory, and which of them.
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

constexpr u32 kUsual = E1000Bench::kUsualReceive;
const FrameBytes kOwn = frame_to(kCardMac, 100);
const std::array<u8, 6> kOtherMac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x57};
const std::array<u8, 6> kGroupMac = {0x01, 0x00, 0x5e, 0x01, 0x82, 0x93};

class E1000Receive : public testing::Test {
 protected:
  /// Whether the card stored a frame to this address.
  bool accepts(std::span<const u8> to) {
    const u32 before = e1000.get(kRdh);
    EXPECT_TRUE(e1000.give({frame_to(to, 80)}));
    return e1000.get(kRdh) != before;
  }
  FrameBytes tagged(u16 tag) {
    FrameBytes frame = kOwn;
    frame.insert(frame.begin() + 12, {0x81, 0x00, static_cast<u8>(tag >> 8), static_cast<u8>(tag)});
    return frame;
  }
  E1000Bench e1000;
};

TEST_F(E1000Receive, FrameIsStoredWithItsCheckSequence) {
  e1000.start(kUsual & ~kStripCheck);
  ASSERT_TRUE(e1000.give({kOwn}));
  FrameBytes whole = kOwn;
  const u32 check = hw::frame_check(kOwn);
  whole.resize(104);
  std::memcpy(whole.data() + 100, &check, 4);
  EXPECT_EQ(e1000.stored(0), whole);
  EXPECT_EQ(e1000.received(0).status, kGotDone | kGotEnd | kGotIgnoreSums);
  EXPECT_EQ(e1000.received(0).errors, 0);
  EXPECT_EQ(e1000.get(kRdh), 1u);
  EXPECT_EQ(e1000.get(kIcr), kIntReceived);
}

TEST_F(E1000Receive, CheckSequenceIsStrippedOnDemand) {
  e1000.start();
  ASSERT_TRUE(e1000.give({kOwn}));
  EXPECT_EQ(e1000.stored(0), kOwn);
}

TEST_F(E1000Receive, ShortFramesArePadded) {
  e1000.start();
  ASSERT_TRUE(e1000.give({frame_to(kCardMac, 42)}));
  FrameBytes padded = frame_to(kCardMac, 42);
  padded.resize(60);
  EXPECT_EQ(e1000.stored(0), padded);
}

TEST_F(E1000Receive, FramesWithoutHeaderAreDropped) {
  e1000.start(kUsual | kAllUnicast | kAllMulticast);
  ASSERT_TRUE(e1000.give({FrameBytes{}, FrameBytes(13, 0xff), kOwn}));
  EXPECT_EQ(e1000.get(kRdh), 1u);
  EXPECT_EQ(e1000.stored(0), kOwn);
}

TEST_F(E1000Receive, NothingIsTakenWhileItIsOff) {
  e1000.start(0);
  ASSERT_TRUE(e1000.give({kOwn}));
  EXPECT_EQ(e1000.get(kRdh), 0u);
}

TEST_F(E1000Receive, LongFramesFillSeveralBuffers) {
  e1000.start(kUsual | 3u << 16);
  ASSERT_TRUE(e1000.give({frame_to(kCardMac, 600)}));
  EXPECT_EQ(e1000.received(0).length, 256);
  EXPECT_EQ(e1000.received(0).status, kGotDone);
  EXPECT_EQ(e1000.received(2).length, 88);
  EXPECT_EQ(e1000.received(2).status & (kGotDone | kGotEnd), kGotDone | kGotEnd);
  const FrameBytes whole = frame_to(kCardMac, 600);
  EXPECT_EQ(e1000.stored(1), FrameBytes(whole.begin() + 256, whole.begin() + 512));
}

TEST_F(E1000Receive, BuffersMayBeExtended) {
  e1000.start(kUsual | kLongFrames | kSizeExtended | 2u << 16);
  ASSERT_TRUE(e1000.give({frame_to(kCardMac, 9000)}));
  EXPECT_EQ(e1000.received(0).length, 8192);
  EXPECT_EQ(e1000.received(1).length, 9000 - 8192);
}

TEST_F(E1000Receive, LongFramesNeedToBeAllowed) {
  e1000.start();
  ASSERT_TRUE(e1000.give({frame_to(kCardMac, 1518), frame_to(kCardMac, 1519)}));
  EXPECT_EQ(e1000.get(kRdh), 1u);
  EXPECT_EQ(e1000.get(kStatistics + 4 * kOversize), 1u);
}

TEST_F(E1000Receive, BuffersWithoutAddressArePassedOver) {
  e1000.start();
  e1000.buffer(0, 0);
  ASSERT_TRUE(e1000.give({kOwn}));
  EXPECT_EQ(e1000.received(0).status, kGotDone);
  EXPECT_EQ(e1000.stored(1), kOwn);
}

TEST_F(E1000Receive, AddressesAreFiltered) {
  e1000.start();
  EXPECT_TRUE(accepts(kCardMac));
  EXPECT_FALSE(accepts(kOtherMac));
  EXPECT_TRUE(accepts(std::vector<u8>(6, 0xff)));
  EXPECT_FALSE(accepts(kGroupMac));
}

TEST_F(E1000Receive, BroadcastsNeedToBeAccepted) {
  e1000.start(kUsual & ~kAcceptBroadcast);
  EXPECT_FALSE(accepts(std::vector<u8>(6, 0xff)));
}

TEST_F(E1000Receive, AnyAddressWhenPromiscuous) {
  e1000.start(kUsual | kAllUnicast);
  EXPECT_TRUE(accepts(kOtherMac));
  EXPECT_NE(e1000.received(0).status & kGotInexactly, 0);
  EXPECT_FALSE(accepts(kGroupMac));
  e1000.set(kRctl, kUsual | kAllMulticast);
  EXPECT_TRUE(accepts(kGroupMac));
  EXPECT_FALSE(accepts(kOtherMac));
}

TEST_F(E1000Receive, SixteenthAddressIsOneToo) {
  e1000.start();
  e1000.set(kRal + 8 * 15, 0x1200'5452);
  e1000.set(kRah + 8 * 15, 0x5734);
  EXPECT_FALSE(accepts(kOtherMac));
  e1000.set(kRah + 8 * 15, 0x8000'5734);
  EXPECT_TRUE(accepts(kOtherMac));
  EXPECT_EQ(e1000.received(0).status & kGotInexactly, 0);
}

TEST_F(E1000Receive, AddressesMayBeOfTheSender) {
  e1000.start();
  e1000.set(kRal + 8, 0x0000'0002);
  e1000.set(kRah + 8, 0x8001'0100);
  EXPECT_TRUE(accepts(kOtherMac));
}

class E1000MulticastTable : public E1000Receive, public testing::WithParamInterface<unsigned> {};

TEST_P(E1000MulticastTable, TakesTwelveBitsOfTheAddress) {
  constexpr std::array<unsigned, 4> kShifts = {4, 3, 2, 0};
  const unsigned hash = 0x9382u >> kShifts[GetParam()] & 0xfff;
  e1000.start(kUsual | GetParam() << 12);
  e1000.set(kMta + 4 * (hash >> 5), 1u << (hash & 31));
  EXPECT_TRUE(accepts(kGroupMac));
  EXPECT_NE(e1000.received(0).status & kGotInexactly, 0);
  e1000.set(kMta + 4 * (hash >> 5), ~(1u << (hash & 31)));
  EXPECT_FALSE(accepts(kGroupMac));
}
INSTANTIATE_TEST_SUITE_P(Offsets, E1000MulticastTable, testing::Values(0u, 1u, 2u, 3u));

TEST_F(E1000Receive, TagsAreStripped) {
  e1000.start();
  e1000.set(kCtrl, e1000.get(kCtrl) | kVlanMode);
  ASSERT_TRUE(e1000.give({tagged(0x6123)}));
  EXPECT_EQ(e1000.stored(0), kOwn);
  EXPECT_EQ(e1000.received(0).special, 0x6123);
  EXPECT_NE(e1000.received(0).status & kGotTag, 0);
}

TEST_F(E1000Receive, TagsStayWithoutVlanMode) {
  e1000.start();
  ASSERT_TRUE(e1000.give({tagged(0x6123)}));
  EXPECT_EQ(e1000.stored(0), tagged(0x6123));
  EXPECT_EQ(e1000.received(0).status & kGotTag, 0);
}

TEST_F(E1000Receive, VlansAreFiltered) {
  e1000.start(kUsual | kVlanFilter);
  e1000.set(kVfta + 4 * (0x123 >> 5), 1u << (0x123 & 31));
  ASSERT_TRUE(e1000.give({tagged(0x124), tagged(0x123), kOwn}));
  EXPECT_EQ(e1000.get(kRdh), 2u);
  EXPECT_EQ(e1000.stored(0), tagged(0x123));
}

TEST_F(E1000Receive, ChecksumsAreChecked) {
  e1000.start();
  e1000.set(kRxcsum, kCheckIp | kCheckTcpUdp | kCheckIpv6);
  const FrameBytes good = summed({.payload = 101});
  FrameBytes bad = good, bad_header = good;
  bad[80] ^= 1;
  bad_header[22] ^= 1;
  const FrameBytes version6 = summed({.version6 = true, .protocol = 17, .payload = 99});
  ASSERT_TRUE(e1000.give({good, bad, bad_header, version6}));
  EXPECT_EQ(e1000.received(0).status, kGotDone | kGotEnd | kGotIp | kGotTcpUdp);
  EXPECT_EQ(e1000.received(0).errors, 0);
  EXPECT_EQ(e1000.received(1).errors, kBadTcpUdp);
  EXPECT_EQ(e1000.received(2).errors, kBadIp);
  EXPECT_EQ(e1000.received(3).status, kGotDone | kGotEnd | kGotTcpUdp);
  EXPECT_EQ(e1000.received(3).errors, 0);
}

TEST_F(E1000Receive, FragmentsAndPaddingDoNotDisturbChecksums) {
  e1000.start();
  e1000.set(kRxcsum, kCheckIp | kCheckTcpUdp);
  FrameBytes padded = summed({.payload = 1});
  padded.resize(70, 0xee);
  FrameBytes fragment = summed({.payload = 100});
  put_word(fragment, 20, 2, 0x2000);
  put_word(fragment, 24, 2, 0);
  put_word(fragment, 24, 2, 0xffff - plain_sum(fragment, 14, 34));
  ASSERT_TRUE(e1000.give({padded, fragment}));
  EXPECT_EQ(e1000.received(0).status, kGotDone | kGotEnd | kGotIp | kGotTcpUdp);
  EXPECT_EQ(e1000.received(0).errors, 0);
  EXPECT_EQ(e1000.received(1).status, kGotDone | kGotEnd | kGotIp);
}

TEST_F(E1000Receive, PacketChecksumBeginsWhereItShall) {
  e1000.start();
  e1000.set(kRxcsum, 14);
  ASSERT_TRUE(e1000.give({kOwn}));
  EXPECT_EQ(e1000.received(0).checksum, plain_sum(kOwn, 14, 100));
}

TEST_F(E1000Receive, FramesWithoutBuffersWaitForSome) {
  e1000.start(kUsual, 2);
  e1000.peer.give({kOwn, kOwn, frame_to(kCardMac, 77)});
  ASSERT_TRUE(e1000.peer.refused());
  EXPECT_EQ(e1000.get(kRdh), 2u);
  EXPECT_EQ(e1000.get(kStatistics + 4 * kNoBuffers), 1u);
  e1000.set(kRdt, 5);
  ASSERT_TRUE(e1000.peer.all_taken());
  EXPECT_EQ(e1000.received(2).length, 77);
}

TEST_F(E1000Receive, FrameThatCanNeverFitIsMissed) {
  e1000.start(kUsual | kLongFrames | 3u << 16);
  ASSERT_TRUE(e1000.give({frame_to(kCardMac, 16 * 256), kOwn}));
  EXPECT_EQ(e1000.get(kStatistics + 4 * kMissed), 1u);
  EXPECT_NE(e1000.get(kIcr) & kIntOverrun, 0u);
  EXPECT_EQ(e1000.stored(0), kOwn);
}

TEST_F(E1000Receive, FewBuffersAreToldOnce) {
  e1000.start();
  ASSERT_TRUE(e1000.give(std::vector<FrameBytes>(6, kOwn)));
  EXPECT_EQ(e1000.get(kIcr) & kIntReceiveLow, 0u);
  ASSERT_TRUE(e1000.give({kOwn}));
  EXPECT_NE(e1000.get(kIcr) & kIntReceiveLow, 0u);
  ASSERT_TRUE(e1000.give({kOwn}));
  EXPECT_EQ(e1000.get(kIcr) & kIntReceiveLow, 0u);
}

TEST_F(E1000Receive, RingOutsideOfMemoryMissesFrames) {
  e1000.start();
  e1000.set(kRdbal, 0xf000'0000);
  ASSERT_TRUE(e1000.give({kOwn}));
  EXPECT_EQ(e1000.get(kStatistics + 4 * kMissed), 1u);
}

TEST_F(E1000Receive, HeadOutsideOfTheRingKeepsFramesBack) {
  e1000.start();
  e1000.set(kRdh, 4000);
  e1000.peer.give(kOwn);
  ASSERT_TRUE(e1000.peer.refused());
  e1000.set(kRdh, 0);
  e1000.set(kRdt, 8);
  EXPECT_TRUE(e1000.peer.all_taken());
}

TEST_F(E1000Receive, InterruptWaitsForThePacketTimer) {
  e1000.start();
  e1000.set(kRdtr, 100);
  ASSERT_TRUE(e1000.give({kOwn}));
  e1000.bench.advance(90'000);
  ASSERT_TRUE(e1000.give({kOwn}));
  e1000.bench.advance(90'000);
  EXPECT_EQ(e1000.get(kIcr) & kIntReceived, 0u);
  e1000.bench.advance(20'000);
  EXPECT_EQ(e1000.get(kIcr) & kIntReceived, kIntReceived);
}

TEST_F(E1000Receive, AbsoluteTimerEndsTheWait) {
  e1000.start();
  e1000.set(kRdtr, 100);
  e1000.set(kRadv, 120);
  ASSERT_TRUE(e1000.give({kOwn}));
  e1000.bench.advance(90'000);
  ASSERT_TRUE(e1000.give({kOwn}));
  e1000.bench.advance(40'000);
  EXPECT_EQ(e1000.get(kIcr) & kIntReceived, kIntReceived);
}

TEST_F(E1000Receive, FlushEndsTheWait) {
  e1000.start();
  e1000.set(kRdtr, 100);
  ASSERT_TRUE(e1000.give({kOwn}));
  e1000.set(kRdtr, kFlushPartial | 100);
  EXPECT_EQ(e1000.get(kIcr) & kIntReceived, kIntReceived);
}

TEST_F(E1000Receive, StatisticsCountFrames) {
  e1000.start();
  ASSERT_TRUE(e1000.give({kOwn, frame_to(std::vector<u8>(6, 0xff), 42)}));
  EXPECT_EQ(e1000.get(kStatistics + 4 * kReceivedGood), 2u);
  EXPECT_EQ(e1000.get(kStatistics + 4 * kReceivedBroadcast), 1u);
  EXPECT_EQ(e1000.get(kStatistics + 4 * kReceivedOctets), 104u + 64);
  EXPECT_EQ(e1000.get(kStatistics + 4 * kReceived64), 1u);
}

TEST_F(E1000Receive, OwnFramesComeBackInLoopback) {
  e1000.start(kUsual | kLoopback);
  e1000.queue_legacy(kOwn);
  ASSERT_TRUE(e1000.send());
  EXPECT_EQ(e1000.stored(0), kOwn);
  EXPECT_THAT(e1000.peer.take_all(), IsEmpty());
}

TEST_F(E1000Receive, PausesHaveItWait) {
  e1000.start();
  e1000.set(kFcal, 0x00c2'8001);
  e1000.set(kFcah, 0x0100);
  e1000.set(kFct, 0x8808);
  e1000.set(kCtrl, e1000.get(kCtrl) | kReceivePauses);
  FrameBytes pause = frame_to(std::array<u8, 6>{1, 0x80, 0xc2, 0, 0, 1}, 60, 0x8808);
  put_word(pause, 14, 4, 0x0001'0064);
  ASSERT_TRUE(e1000.give({pause}));
  EXPECT_NE(e1000.get(kStatus) & kStatusPaused, 0u);
  e1000.queue_legacy(kOwn);
  e1000.go();
  e1000.settle();
  EXPECT_THAT(e1000.peer.take_all(), IsEmpty());
  e1000.bench.advance(100 * 512);
  EXPECT_EQ(e1000.peer.take(), kOwn);
}

}  // namespace
}  // namespace rhea::test
