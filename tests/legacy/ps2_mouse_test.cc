// SPDX-License-Identifier: GPL-2.0-or-later
// The PS/2 mouse.
#include "tests/legacy/ps2_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using Bytes = std::vector<u8>;

constexpr u8 kMouseAck = 0xfa;
constexpr u8 kMouseResend = 0xfe;

class Ps2MouseTest : public Ps2Fixture {
 protected:
  void enable() { EXPECT_EQ(mouse({0xf4}), Bytes{kMouseAck}); }
  void rates(u8 first, u8 second, u8 third) { mouse({0xf3, first, 0xf3, second, 0xf3, third}); }
  Bytes move(const PointerEvent& event) {
    hub().pointer(event);
    return read_all();
  }
};

TEST_F(Ps2MouseTest, ResetsWithASelfTestAndItsId) {
  EXPECT_EQ(mouse({0xff}), (Bytes{kMouseAck, 0xaa, 0x00}));
}

TEST_F(Ps2MouseTest, IsSilentUntilItIsEnabled) {
  EXPECT_EQ(move({.dx = 5}), Bytes{});
  enable();
  EXPECT_EQ(read_all(), Bytes{});
  EXPECT_EQ(move({.dx = 5}), (Bytes{0x08, 5, 0}));
  EXPECT_EQ(mouse({0xf5}), Bytes{kMouseAck});
  EXPECT_EQ(move({.dx = 5}), Bytes{});
}

TEST_F(Ps2MouseTest, PacketsHaveSignsAndCountUpwards) {
  enable();
  EXPECT_EQ(move({.dx = -3, .dy = 4}), (Bytes{0x38, 0xfd, 0xfc}));
  EXPECT_EQ(move({.dx = 3, .dy = -4}), (Bytes{0x08, 0x03, 0x04}));
}

TEST_F(Ps2MouseTest, ButtonsAreInTheFirstByte) {
  enable();
  EXPECT_EQ(move({.buttons = 0x01}), (Bytes{0x09, 0, 0}));
  EXPECT_EQ(move({.buttons = 0x06}), (Bytes{0x0e, 0, 0}));
  EXPECT_EQ(move({.buttons = 0x06}), Bytes{});
}

TEST_F(Ps2MouseTest, LongWaysTakeSeveralPackets) {
  enable();
  EXPECT_EQ(move({.dx = 600}), (Bytes{0x08, 255, 0, 0x08, 255, 0, 0x08, 90, 0}));
  EXPECT_EQ(move({.dx = -256}), (Bytes{0x18, 0x01, 0, 0x18, 0xff, 0}));
}

TEST_F(Ps2MouseTest, MovementAddsUpWhileAPacketWaits) {
  enable();
  hub().pointer({.dx = 1});
  hub().pointer({.dx = 2});
  hub().pointer({.dx = 3});
  EXPECT_EQ(read_all(), (Bytes{0x08, 1, 0, 0x08, 5, 0}));
}

TEST_F(Ps2MouseTest, AQuickClickIsSeen) {
  enable();
  hub().pointer({.dx = 1});
  hub().pointer({.buttons = 1});
  hub().pointer({.buttons = 0});
  EXPECT_EQ(read_all(), (Bytes{0x08, 1, 0, 0x09, 0, 0, 0x08, 0, 0}));
}

TEST_F(Ps2MouseTest, AFloodOfEventsStaysBounded) {
  enable();
  for (int i = 0; i < 1000; ++i) hub().pointer({.dx = 1 << 30, .buttons = static_cast<u8>(i & 1)});
  const Bytes bytes = read_all(10'000);
  EXPECT_LT(bytes.size(), 3u * (65'536 / 255 + 8));
  EXPECT_EQ(bytes[bytes.size() - 3] & 0x01, 1);
}

TEST_F(Ps2MouseTest, RatesUnlockTheWheel) {
  enable();
  EXPECT_EQ(move({.dx = 1, .dz = 1}), (Bytes{0x08, 1, 0}));
  rates(200, 100, 80);
  EXPECT_EQ(mouse({0xf2}), (Bytes{kMouseAck, 0x03}));
  EXPECT_EQ(move({.dz = 1}), (Bytes{0x08, 0, 0, 0xff}));
  EXPECT_EQ(move({.dz = -2}), (Bytes{0x08, 0, 0, 0x02}));
}

TEST_F(Ps2MouseTest, FurtherRatesUnlockTheOtherButtons) {
  enable();
  rates(200, 100, 80);
  rates(200, 200, 80);
  EXPECT_EQ(mouse({0xf2}), (Bytes{kMouseAck, 0x04}));
  EXPECT_EQ(move({.dz = 1, .buttons = 0x18}), (Bytes{0x08, 0, 0, 0x3f}));
}

TEST_F(Ps2MouseTest, ARunOf200200And80AloneUnlocksNothing) {
  rates(200, 200, 80);
  EXPECT_EQ(mouse({0xf2}), (Bytes{kMouseAck, 0x00}));
}

TEST_F(Ps2MouseTest, ResetLocksThemAgain) {
  rates(200, 100, 80);
  mouse({0xff});
  EXPECT_EQ(mouse({0xf2}), (Bytes{kMouseAck, 0x00}));
}

TEST_F(Ps2MouseTest, StatusShowsModesResolutionAndRate) {
  EXPECT_EQ(mouse({0xe9}), (Bytes{kMouseAck, 0x00, 0x02, 100}));
  hub().pointer({.buttons = 0x03});
  EXPECT_EQ(mouse({0xe8, 0x03}), (Bytes{kMouseAck, kMouseAck}));
  EXPECT_EQ(mouse({0xf3, 40}), (Bytes{kMouseAck, kMouseAck}));
  EXPECT_EQ(mouse({0xe7}), Bytes{kMouseAck});
  EXPECT_EQ(mouse({0xf0}), Bytes{kMouseAck});
  enable();
  EXPECT_EQ(mouse({0xe9}), (Bytes{kMouseAck, 0x75, 0x03, 40}));
  EXPECT_EQ(mouse({0xf6}), Bytes{kMouseAck});
  EXPECT_EQ(mouse({0xe9}), (Bytes{kMouseAck, 0x05, 0x02, 100}));
}

TEST_F(Ps2MouseTest, WrongArgumentsAskForOthers) {
  EXPECT_EQ(mouse({0xe8, 0x04}), (Bytes{kMouseAck, kMouseResend}));
  EXPECT_EQ(mouse({0xf3, 0x00}), (Bytes{kMouseAck, kMouseResend}));
  EXPECT_EQ(mouse({0xe1}), Bytes{kMouseResend});
}

TEST_F(Ps2MouseTest, ScalingDoublesStreamPackets) {
  enable();
  mouse({0xe7});
  EXPECT_EQ(move({.dx = 1, .dy = -2}), (Bytes{0x08, 1, 1}));
  EXPECT_EQ(move({.dx = 3, .dy = -4}), (Bytes{0x08, 3, 6}));
  EXPECT_EQ(move({.dx = 5, .dy = -6}), (Bytes{0x08, 9, 12}));
  EXPECT_EQ(move({.dx = -4}), (Bytes{0x18, 0xfa, 0}));
  mouse({0xe6});
  EXPECT_EQ(move({.dx = 5}), (Bytes{0x08, 5, 0}));
}

TEST_F(Ps2MouseTest, RemoteModeAnswersOnlyWhenAsked) {
  enable();
  EXPECT_EQ(mouse({0xf0}), Bytes{kMouseAck});
  EXPECT_EQ(move({.dx = 7, .dy = -8, .buttons = 1}), Bytes{});
  EXPECT_EQ(mouse({0xeb}), (Bytes{kMouseAck, 0x09, 7, 8}));
  EXPECT_EQ(mouse({0xeb}), (Bytes{kMouseAck, 0x09, 0, 0}));
  EXPECT_EQ(mouse({0xea}), Bytes{kMouseAck});
  EXPECT_EQ(move({.dx = 1, .buttons = 1}), (Bytes{0x09, 1, 0}));
}

TEST_F(Ps2MouseTest, WrapModeEchoes) {
  EXPECT_EQ(mouse({0xee}), Bytes{kMouseAck});
  EXPECT_EQ(mouse({0xf2}), Bytes{0xf2});
  EXPECT_EQ(mouse({0x55}), Bytes{0x55});
  EXPECT_EQ(mouse({0xec}), Bytes{kMouseAck});
  EXPECT_EQ(mouse({0xf2}), (Bytes{kMouseAck, 0x00}));
}

TEST_F(Ps2MouseTest, ACommandGivesUpTheReportUnderWay) {
  enable();
  hub().pointer({.dx = 1});
  EXPECT_EQ(bench_.inb(0x60), 0x08);
  bench_.inb(0x60);
  command_with(0xd4, 0xf2);
  EXPECT_EQ(read_all(), (Bytes{0x00, kMouseAck, 0x00}));
}

TEST_F(Ps2MouseTest, ResendsTheLastByte) {
  mouse({0xf2});
  EXPECT_EQ(mouse({0xfe}), Bytes{0x00});
}

TEST_F(Ps2MouseTest, ASnapshotInTheMiddleOfAPacketGoesOn) {
  enable();
  rates(200, 100, 80);
  hub().pointer({.dx = 300, .buttons = 4});
  EXPECT_EQ(bench_.inb(0x60), 0x0c);
  const auto saved = bench_.save();
  bench_.reset();

  ASSERT_TRUE(bench_.load(saved));

  EXPECT_TRUE(bench_.irq(12));
  EXPECT_EQ(read_all(), (Bytes{255, 0, 0, 0x0c, 45, 0, 0}));
}

TEST_F(Ps2MouseTest, ResetSilencesIt) {
  enable();
  bench_.reset();
  EXPECT_EQ(move({.dx = 5}), Bytes{});
}

}  // namespace
}  // namespace rhea::test
