// SPDX-License-Identifier: GPL-2.0-or-later
// Port 0x61: the speaker, the refresh bit, the gate of counter 2.
#include "rhea/softmmu/snapshot.h"
#include "tests/legacy/i8254_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

class PcSpeakerTest : public I8254Test {
 protected:
  PcSpeakerTest() { bench_.add("isa-pcspk"); }
};

TEST_F(PcSpeakerTest, ItsLowBitsReadBack) {
  bench_.outb(0x61, 0xff);
  EXPECT_EQ(bench_.inb(0x61) & 0x0f, 0x0f);
  bench_.outb(0x61, 0x00);
  EXPECT_EQ(bench_.inb(0x61) & 0xcf, 0x00);
}

TEST_F(PcSpeakerTest, TheRefreshBitTogglesEveryFifteenMicroseconds) {
  const u8 first = bench_.inb(0x61) & 0x10;
  pulses(18);
  EXPECT_NE(bench_.inb(0x61) & 0x10, first);
  pulses(18);
  EXPECT_EQ(bench_.inb(0x61) & 0x10, first);
}

TEST_F(PcSpeakerTest, Bit0GatesCounter2AndBit5ShowsItsOutput) {
  bench_.outb(0x61, 0x00);
  start(2, 0, 100);
  pulses(500);
  EXPECT_EQ(bench_.inb(0x61) & 0x20, 0);
  bench_.outb(0x61, 0x01);
  pulses(99);
  EXPECT_EQ(bench_.inb(0x61) & 0x20, 0);
  pulses(1);
  EXPECT_EQ(bench_.inb(0x61) & 0x20, 0x20);
}

TEST_F(PcSpeakerTest, Bit5FollowsAnIdleSquareWave) {
  bench_.outb(0x61, 0x01);
  start(2, 3, 100);
  pulses(60);
  EXPECT_EQ(bench_.inb(0x61) & 0x20, 0);
  pulses(40);
  EXPECT_EQ(bench_.inb(0x61) & 0x20, 0x20);
}

/// A guest that measures its clock by counter 2.
class PollingLoop : public PcSpeakerTest {
 protected:
  PollingLoop() {
    bench_.outb(0x61, 0x01);
    start(2, 0, 11931);
  }
  bool look() { return (bench_.inb(0x61) & 0x20) != 0; }
  bool look_often() {
    bool high = false;
    for (unsigned n = 0; n < 100; ++n) {
      bench_.advance(1000);
      high = look();
    }
    return high;
  }
};

// Its clock would not show the gap if OUT were high now.
TEST_F(PollingLoop, SeesNoRiseAtItsFirstLookAfterItWasHeldUp) {
  EXPECT_FALSE(look_often());
  bench_.advance(20'000'000);
  EXPECT_FALSE(look());
  bench_.advance(1000);
  EXPECT_TRUE(look());
}

TEST_F(PollingLoop, SeesTheRiseInTimeWhenNothingHoldsItUp) {
  for (unsigned n = 0; n < 99; ++n) EXPECT_FALSE(look_often());
  EXPECT_TRUE(look_often());
}

TEST_F(PollingLoop, SeesItStayHighWhenItWasHeldUp) {
  bench_.advance(10'000'000);
  EXPECT_TRUE(look_often());
  bench_.advance(20'000'000);
  EXPECT_TRUE(look());
}

TEST_F(PollingLoop, AGuestThatLooksNowAndThenSeesWhatThereIs) {
  bench_.advance(5'000'000);
  EXPECT_FALSE(look());
  bench_.advance(20'000'000);
  EXPECT_TRUE(look());
}

TEST_F(PcSpeakerTest, ResetClosesTheGate) {
  bench_.outb(0x61, 0x03);
  bench_.reset();
  EXPECT_EQ(bench_.inb(0x61) & 0x0f, 0);
  EXPECT_FALSE(speaker_.gate());
}

TEST_F(PcSpeakerTest, AfterAResetItHasSeenNothing) {
  bench_.reset();
  const auto fresh = save_devices(bench_.machine()).value();
  bench_.outb(0x61, 0x01);
  start(2, 0, 100);
  pulses(200);
  ASSERT_EQ(bench_.inb(0x61) & 0x20, 0x20);
  bench_.machine().virtual_clock().set_ns(0);
  bench_.reset();
  EXPECT_EQ(save_devices(bench_.machine()).value(), fresh);
}

TEST(PcSpeakerAlone, WorksWithoutATimer) {
  Bench bench;
  bench.add("isa-pcspk");
  bench.outb(0x61, 0x03);
  EXPECT_EQ(bench.inb(0x61) & 0xef, 0x03);
}

TEST(PcSpeakerAlone, APathThatIsNoTimerIsRefused) {
  Bench bench;
  const auto result = bench.try_add("isa-pcspk", {{"pit", "/machine/board"}});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message().find("/machine/board"), std::string::npos);
}

}  // namespace
}  // namespace rhea::test
