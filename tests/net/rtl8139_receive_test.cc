// SPDX-License-Identifier: GPL-2.0-or-later
// rtl8139: which frames it takes, and what they become in the ring and in descriptors.
#include "hw/net/frame_sums.h"
#include "tests/net/rtl8139_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using namespace hw::rtl8139;
using namespace rtl_reg;

const FrameBytes kForCard = frame_to(kCardMac, 100);
const std::array<u8, 6> kOtherMac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x57};
const std::array<u8, 6> kGroupMac = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x01};
constexpr u64 kReceiveRing = Rtl8139Bench::kReceiveRing;

class Rtl8139Receive : public testing::Test {
 protected:
  /// Whether the card stored a frame to this address.
  bool accepts(std::span<const u8> to) {
    const u32 before = rtl.get(kCbr, 2);
    EXPECT_TRUE(rtl.give({frame_to(to, 80)}));
    return rtl.get(kCbr, 2) != before;
  }
  PlusWords got(unsigned n) { return rtl.words(kReceiveRing, n); }
  FrameBytes plus_stored(unsigned n) {
    const u32 length = got(n).command & 0x3fff;
    return rtl.bench.read(Rtl8139Bench::kBuffers + n * 0x4000, length - 4);
  }
  Rtl8139Bench rtl;
};

TEST_F(Rtl8139Receive, FrameIsStoredWithHeaderAndCheckSequence) {
  rtl.start();
  EXPECT_NE(rtl.get(kCr, 1) & kBufferEmpty, 0u);
  ASSERT_TRUE(rtl.give({kForCard}));
  EXPECT_EQ(rtl.status(0), kGotOk | kGotOwn);
  EXPECT_EQ(rtl.stored(0), kForCard);
  const u32 check = hw::frame_check(kForCard);
  EXPECT_EQ(rtl.bench.load(Rtl8139Bench::kRing + 104, 4), check);
  EXPECT_EQ(rtl.get(kCbr, 2), 108u);
  EXPECT_EQ(rtl.get(kCr, 1) & kBufferEmpty, 0u);
  EXPECT_EQ(rtl.causes(), kIntReceived);
  rtl.set(kCapr, 108 - 16, 2);
  EXPECT_NE(rtl.get(kCr, 1) & kBufferEmpty, 0u);
}

TEST_F(Rtl8139Receive, ShortFramesArePaddedAndPlacesAligned) {
  rtl.start();
  ASSERT_TRUE(rtl.give({frame_to(kCardMac, 42), frame_to(kCardMac, 61), kForCard}));
  EXPECT_EQ(rtl.stored(0).size(), 60u);
  EXPECT_EQ(rtl.stored(68), frame_to(kCardMac, 61));
  EXPECT_EQ(rtl.stored(68 + 72), kForCard);
}

TEST_F(Rtl8139Receive, FilterLetsInWhatItSays) {
  rtl.start(kAcceptOwn);
  EXPECT_TRUE(accepts(kCardMac));
  EXPECT_FALSE(accepts(kOtherMac));
  EXPECT_FALSE(accepts(kGroupMac));
  EXPECT_FALSE(accepts(std::array<u8, 6>{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  rtl.set(kRcr, kAcceptBroadcast);
  EXPECT_FALSE(accepts(kCardMac));
  EXPECT_TRUE(accepts(std::array<u8, 6>{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  rtl.set(kRcr, kAllPhysical);
  EXPECT_TRUE(accepts(kOtherMac));
  EXPECT_FALSE(accepts(kGroupMac));
}

TEST_F(Rtl8139Receive, MulticastIsFilteredByItsHash) {
  rtl.start(kAcceptMulticast);
  EXPECT_FALSE(accepts(kGroupMac));
  // 01:00:5e:00:00:01 is bit 31 of the table.
  rtl.set(kMar, 0x8000'0000);
  EXPECT_TRUE(accepts(kGroupMac));
  rtl.set(kMar, 0x7fff'ffff);
  EXPECT_FALSE(accepts(kGroupMac));
}

TEST_F(Rtl8139Receive, FramesWithoutHeaderAndGiantsAreDropped) {
  rtl.start(Rtl8139Bench::kUsual | kAcceptErrors);
  ASSERT_TRUE(rtl.give({FrameBytes{}, FrameBytes(13, 0xff), frame_to(kCardMac, 5000)}));
  EXPECT_EQ(rtl.get(kCbr, 2), 0u);
  EXPECT_EQ(rtl.causes(), kIntReceiveError);
}

TEST_F(Rtl8139Receive, NothingIsTakenWhileItIsOff) {
  rtl.start();
  rtl.set(kCr, kSendEnable, 1);
  ASSERT_TRUE(rtl.give({kForCard}));
  EXPECT_EQ(rtl.causes(), 0);
}

TEST_F(Rtl8139Receive, RingWrapsInsideOfAFrame) {
  rtl.start();
  const FrameBytes big = frame_to(kCardMac, 1400);
  for (u32 at = 1408; at <= 5 * 1408; at += 1408) {
    ASSERT_TRUE(rtl.give({big}));
    rtl.set(kCapr, at - 16, 2);
  }
  ASSERT_TRUE(rtl.give({big}));
  EXPECT_EQ(rtl.get(kCbr, 2), 6u * 1408 - 8192);
  const u64 first = 8192 - (5 * 1408 + 4);
  EXPECT_EQ(rtl.bench.read(Rtl8139Bench::kRing + 5 * 1408 + 4, first),
            FrameBytes(big.begin(), big.begin() + first));
  EXPECT_EQ(rtl.bench.read(Rtl8139Bench::kRing, 1400 - first),
            FrameBytes(big.begin() + first, big.end()));
}

TEST_F(Rtl8139Receive, WithWrapFramesGoOnBehindTheRing) {
  rtl.start(Rtl8139Bench::kUsual | kNoWrap);
  const FrameBytes big = frame_to(kCardMac, 1400);
  for (u32 at = 1408; at <= 5 * 1408; at += 1408) {
    ASSERT_TRUE(rtl.give({big}));
    rtl.set(kCapr, at - 16, 2);
  }
  ASSERT_TRUE(rtl.give({big}));
  EXPECT_EQ(rtl.stored(5 * 1408), big);
  EXPECT_EQ(rtl.get(kCbr, 2), 6u * 1408 - 8192);
}

TEST_F(Rtl8139Receive, FullRingHasFramesWaitAndSaysSo) {
  rtl.start();
  rtl.peer.give(std::vector<FrameBytes>(7, frame_to(kCardMac, 1400)));
  EXPECT_TRUE(rtl.peer.refused());
  rtl.peer.settle();
  EXPECT_EQ(rtl.peer.waiting(), 2u);
  EXPECT_EQ(rtl.take_causes(), kIntReceived | kIntOverflow);
  rtl.peer.settle();
  EXPECT_EQ(rtl.causes(), 0);
  rtl.set(kCapr, 2 * 1408 - 16, 2);
  EXPECT_TRUE(rtl.peer.all_taken());
  EXPECT_EQ(rtl.get(kMpc), 0u);
}

TEST_F(Rtl8139Receive, EnablingItAgainBeginsTheRingAnew) {
  rtl.start();
  ASSERT_TRUE(rtl.give({kForCard}));
  rtl.set(kCr, kSendEnable, 1);
  rtl.set(kCr, kSendEnable | kReceiveEnable, 1);
  EXPECT_EQ(rtl.get(kCbr, 2), 0u);
  EXPECT_NE(rtl.get(kCr, 1) & kBufferEmpty, 0u);
  rtl.set(kRcr, Rtl8139Bench::kUsual | kAllPhysical);
  ASSERT_TRUE(rtl.give({kForCard}));
  rtl.set(kRcr, Rtl8139Bench::kUsual);
  EXPECT_EQ(rtl.get(kCbr, 2), 108u);
}

TEST_F(Rtl8139Receive, EarlyBitsFollowTheThreshold) {
  rtl.start(Rtl8139Bench::kUsual | kEarlyThreshold);
  ASSERT_TRUE(rtl.give({kForCard}));
  EXPECT_EQ(rtl.get(kErsr, 1), kEarlyOk | kEarlyGood);
  EXPECT_EQ(rtl.get(0x34, 2), 104u);
}

TEST_F(Rtl8139Receive, DescriptorGetsAFrameAndItsStatus) {
  rtl.start_plus();
  ASSERT_TRUE(rtl.give({kForCard, FrameBytes(60, 0xff)}));
  EXPECT_EQ(got(0).command, kFirst | kLast | kPlusOwn | 104u);
  EXPECT_EQ(plus_stored(0), kForCard);
  EXPECT_EQ(got(1).command, kFirst | kLast | kPlusBroadcast | 64u);
  EXPECT_EQ(rtl.causes(), kIntReceived);
}

TEST_F(Rtl8139Receive, ChecksumsAreChecked) {
  rtl.start_plus(kPlusSums);
  const PacketShape tcp{}, udp{.protocol = 17};
  FrameBytes bad = summed(tcp), bad_ip = summed(udp);
  bad.back() ^= 1;
  bad_ip[22] ^= 1;
  ASSERT_TRUE(rtl.give({summed(tcp), summed(udp), bad, bad_ip}));
  constexpr u32 kSums = 0x0007'c000;
  EXPECT_EQ(got(0).command & kSums, kPlusTcp);
  EXPECT_EQ(got(1).command & kSums, kPlusUdp);
  EXPECT_EQ(got(2).command & kSums, kPlusTcp | kPlusBadTcp);
  EXPECT_EQ(got(3).command & kSums, kPlusIp | kPlusBadIp);
}

TEST_F(Rtl8139Receive, TagsAreTakenOut) {
  rtl.start_plus(kPlusUntag);
  FrameBytes tagged = kForCard;
  tagged.insert(tagged.begin() + 12, {0x81, 0x00, 0x12, 0x34});
  ASSERT_TRUE(rtl.give({tagged, kForCard}));
  EXPECT_EQ(got(0).tag, kGotTag | 0x3412u);
  EXPECT_EQ(plus_stored(0), kForCard);
  EXPECT_EQ(got(1).tag, 0u);
}

TEST_F(Rtl8139Receive, LongFramesFillSeveralDescriptors) {
  rtl.start_plus(0, 256);
  const FrameBytes frame = frame_to(kCardMac, 600);
  ASSERT_TRUE(rtl.give({frame}));
  EXPECT_EQ(got(0).command, kFirst | 256u);
  EXPECT_EQ(got(1).command, 512u);
  EXPECT_EQ(got(2).command, kLast | kPlusOwn | 604u);
  EXPECT_EQ(rtl.bench.read(Rtl8139Bench::kBuffers + 0x4000, 256),
            FrameBytes(frame.begin() + 256, frame.begin() + 512));
}

TEST_F(Rtl8139Receive, FrameThatFitsNowhereIsMissed) {
  rtl.start_plus(0, 64);
  ASSERT_TRUE(rtl.give({frame_to(kCardMac, 600)}));
  EXPECT_EQ(rtl.get(kMpc), 1u);
  EXPECT_EQ(rtl.causes(), kIntOverflow);
  rtl.set(kMpc, 0);
  EXPECT_EQ(rtl.get(kMpc), 0u);
}

TEST_F(Rtl8139Receive, DescriptorsGivenWithoutAWordAreFound) {
  rtl.start_plus(0, 1600, 1);
  rtl.peer.give({kForCard, kForCard});
  EXPECT_TRUE(rtl.peer.refused());
  rtl.peer.settle();
  EXPECT_EQ(rtl.causes(), kIntReceived | kIntOverflow);
  rtl.buffer(1, kOwn | 1600);
  rtl.bench.advance(1'000'000);
  EXPECT_TRUE(rtl.peer.all_taken());
  EXPECT_EQ(plus_stored(1), kForCard);
}

TEST_F(Rtl8139Receive, DescriptorsAreLookedForWhenInterruptsAreServed) {
  rtl.start_plus(0, 1600, 0);
  rtl.peer.give(kForCard);
  EXPECT_TRUE(rtl.peer.refused());
  rtl.buffer(0, kOwn | 1600);
  rtl.take_causes();
  EXPECT_TRUE(rtl.peer.all_taken());
}

TEST_F(Rtl8139Receive, RingThatCannotBeReadIsASystemError) {
  rtl.start_plus();
  rtl.set(kRdsar + 4, 0xffff'ffff);
  ASSERT_TRUE(rtl.give({kForCard}));
  EXPECT_NE(rtl.causes() & kIntSystemError, 0);
}

}  // namespace
}  // namespace rhea::test
