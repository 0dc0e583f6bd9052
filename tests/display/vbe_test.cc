// SPDX-License-Identifier: GPL-2.0-or-later
// Bochs VBE: registers, limits, pixels of every depth, banks.
#include "tests/display/vga_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

TEST(Vbe, IdentifiesAndTellsItsMemory) {
  VgaBench vga;
  EXPECT_EQ(vga.vbe(0), 0xb0c5);
  vga.vbe(0, 0xb0c0);
  EXPECT_EQ(vga.vbe(0), 0xb0c0);
  vga.vbe(0, 0xb0c6);
  EXPECT_EQ(vga.vbe(0), 0xb0c0);
  EXPECT_EQ(vga.vbe(0x0a), 16 * 16);
  EXPECT_EQ(vga.vbe(0x0b), 0);
}

TEST(Vbe, DataPortIsAlsoAtTheEvenAddress) {
  VgaBench vga;
  vga->outw(0x1ce, 1);
  vga->outw(0x1d0, 800);
  EXPECT_EQ(vga->inw(0x1cf), 800);
  EXPECT_EQ(vga->inw(0x1ce), 1);
}

TEST(Vbe, GetCapsGivesTheLimits) {
  VgaBench vga;
  vga.vbe(4, 0x02);
  EXPECT_EQ(vga.vbe(1), 16000);
  EXPECT_EQ(vga.vbe(2), 12000);
  EXPECT_EQ(vga.vbe(3), 32);
}

TEST(Vbe, EnablingClearsUnlessToldNotTo) {
  VgaBench vga;
  vga.map_bars();
  vga->store(VgaBench::kFrameBuffer + 100, 0x11, 1);
  vga.set_linear(640, 480, 32);
  EXPECT_EQ(vga->load(VgaBench::kFrameBuffer + 100, 1), 0x11U);
  vga.vbe(4, 0);
  vga.vbe(4, 0x41);
  EXPECT_EQ(vga->load(VgaBench::kFrameBuffer + 100, 1), 0U);
}

TEST(Vbe, VirtualHeightIsWhatFits) {
  VgaBench vga;
  vga.set_linear(1024, 768, 32);
  EXPECT_EQ(vga.vbe(6), 1024);
  EXPECT_EQ(vga.vbe(7), 4096);
}

TEST(Vbe, ThirtyTwoBits) {
  VgaBench vga;
  vga.set_linear(640, 480, 32);
  vga->store(VgaBench::kFrameBuffer + (640 * 5 + 7) * 4, 0xff123456, 4);
  vga.refresh();
  EXPECT_EQ(vga.console().width(), 640);
  EXPECT_EQ(vga.console().height(), 480);
  EXPECT_EQ(vga.pixel(7, 5), 0x123456U);
}

TEST(Vbe, TwentyFourBits) {
  VgaBench vga;
  vga.set_linear(800, 600, 24);
  vga->store(VgaBench::kFrameBuffer + (800 * 2 + 3) * 3, 0x123456, 4);
  vga.refresh();
  EXPECT_EQ(vga.pixel(3, 2), 0x123456U);
}

TEST(Vbe, SixteenAndFifteenBits) {
  VgaBench vga;
  vga.set_linear(640, 480, 16);
  vga->store(VgaBench::kFrameBuffer, 0xf81f, 2);
  vga->store(VgaBench::kFrameBuffer + 2, 0x0400, 2);
  vga.refresh();
  EXPECT_EQ(vga.pixel(0, 0), 0xff00ffU);
  EXPECT_EQ(vga.pixel(1, 0), 0x008200U);
  vga.set_linear(640, 480, 15);
  vga.refresh();
  EXPECT_EQ(vga.pixel(0, 0), 0xf700ffU);
}

TEST(Vbe, EightBitsThroughTheDac) {
  VgaBench vga;
  vga.set_linear(640, 480, 8);
  vga.dac(200, 63, 32, 0);
  vga->store(VgaBench::kFrameBuffer + 640 * 479 + 639, 200, 1);
  vga.refresh();
  EXPECT_EQ(vga.pixel(639, 479), 0xff8200U);
}

TEST(Vbe, EightBitDacTakesWholeBytes) {
  VgaBench vga;
  vga.set_linear(640, 480, 8);
  vga.vbe(4, 0xe1);
  vga.dac(0, 0xab, 0xcd, 0xef);
  vga.refresh();
  EXPECT_EQ(vga.pixel(0, 0), 0xabcdefU);
}

TEST(Vbe, FourBitsArePlanes) {
  VgaBench vga;
  vga.set_gray_mode(kMode12);
  vga.set_linear(800, 600, 4);
  vga.attr(0, 0);
  vga->store(0xa0000 + 100 * 3 + 1, 0x40, 1);
  vga.refresh();
  EXPECT_EQ(vga.console().width(), 800);
  EXPECT_EQ(vga.pattern(8, 3, 4, 0x3c3c3c), ".#..");
}

TEST(Vbe, OffsetsMoveTheScreenWithinTheVirtualOne) {
  VgaBench vga;
  vga.set_linear(640, 480, 32);
  vga.vbe(6, 1024);
  vga.vbe(8, 10);
  vga.vbe(9, 20);
  vga->store(VgaBench::kFrameBuffer + (1024 * 21 + 12) * 4, 0x00c0ffee, 4);
  vga.refresh();
  EXPECT_EQ(vga.pixel(2, 1), 0xc0ffeeU);
}

TEST(Vbe, BanksShowAllOfVideoMemory) {
  VgaBench vga;
  vga.set_linear(640, 480, 8);
  vga.gfx(6, 0x05);
  vga.vbe(5, 255);
  vga->store(0xa1000, 0x66, 1);
  EXPECT_EQ(vga->load(VgaBench::kFrameBuffer + 255 * 0x10000 + 0x1000, 1), 0x66U);
  vga.vbe(5, 256 + 3);
  EXPECT_EQ(vga.vbe(5), 3);
}

TEST(Vbe, RegistersAreInBarTwoToo) {
  VgaBench vga;
  vga.map_bars();
  vga->store(VgaBench::kRegisters + 0x502, 1280, 2);
  EXPECT_EQ(vga.vbe(1), 1280);
  EXPECT_EQ(vga->load(VgaBench::kRegisters + 0x500, 2), 0xb0c5U);
}

TEST(Vbe, WritesToTheFrameBufferRedrawTheirLinesOnly) {
  VgaBench vga;
  vga.set_linear(1024, 768, 32);
  SettledClient client(vga);
  EXPECT_TRUE(client.updates.empty());
  vga->store(VgaBench::kFrameBuffer + 4096 * 100, 0xffffff, 4);
  vga.refresh();
  ASSERT_EQ(client.updates.size(), 1U);
  EXPECT_EQ(client.updates[0].y, 100);
  EXPECT_EQ(client.updates[0].height, 1);
}

TEST(Vbe, DisablingBringsTheVgaModeBack) {
  VgaBench vga;
  vga.set_mode(kMode3);
  vga.set_linear(1024, 768, 32);
  vga.refresh();
  vga.vbe(4, 0);
  vga.refresh();
  EXPECT_EQ(vga.console().width(), 720);
  EXPECT_EQ(vga.console().source()->text().columns, 80);
}

class VbeLimits : public testing::Test {
 public:
  /// Enables with these values and draws.
  void enable(u16 width, u16 height, u16 bits) {
    vga.set_linear(width, height, bits);
    vga.refresh();
  }
  VgaBench vga{Properties{{"vgamem_mb", "1"}}};
};

TEST_F(VbeLimits, ZeroSizeBecomesTheLeast) {
  enable(0, 0, 32);
  EXPECT_EQ(vga.vbe(1), 8);
  EXPECT_EQ(vga.vbe(2), 1);
}

TEST_F(VbeLimits, SizeIsCutToVideoMemory) {
  enable(0xffff, 0xffff, 32);
  EXPECT_EQ(vga.vbe(1), 16000);
  EXPECT_EQ(vga.vbe(2), 1048576 / (16000 * 4));
  EXPECT_EQ(vga.console().height(), 1048576 / (16000 * 4));
}

TEST_F(VbeLimits, OddWidthIsRoundedDown) {
  enable(1023, 10, 8);
  EXPECT_EQ(vga.vbe(1), 1016);
}

TEST_F(VbeLimits, UnknownDepthIsEight) {
  enable(640, 480, 77);
  EXPECT_EQ(vga.vbe(3), 8);
}

TEST_F(VbeLimits, OffsetsBeyondVideoMemoryAreDropped) {
  enable(640, 400, 32);
  vga.vbe(9, 0xffff);
  EXPECT_EQ(vga.vbe(9), 0);
  vga.vbe(8, 0xffff);
  EXPECT_EQ(vga.vbe(8), 0);
  vga.refresh();
}

TEST_F(VbeLimits, VirtualWidthIsAtLeastTheWidth) {
  enable(640, 100, 8);
  vga.vbe(6, 100);
  EXPECT_EQ(vga.vbe(6), 640);
  vga.vbe(6, 0xffff);
  EXPECT_EQ(vga.vbe(6), 16000);
  EXPECT_EQ(vga.vbe(2), 65);
  vga.refresh();
  EXPECT_EQ(vga.console().height(), 65);
}

}  // namespace
}  // namespace rhea::test
