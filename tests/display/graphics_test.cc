// SPDX-License-Identifier: GPL-2.0-or-later
// Graphics modes of the VGA: pixels, palette, panning, changed lines.
#include "tests/display/vga_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

u32 gray(unsigned six) { return (six << 2 | six >> 4) * 0x010101; }

TEST(VgaGraphics, PlanesMakeSixteenColors) {
  VgaBench vga;
  vga.set_gray_mode(kMode12);
  vga.seq(2, 0b0001);
  vga->store(0xa0000 + 80 * 10 + 1, 0b10100000, 1);
  vga.seq(2, 0b1000);
  vga->store(0xa0000 + 80 * 10 + 1, 0b11000000, 1);
  vga.refresh();
  EXPECT_EQ(vga.console().width(), 640);
  EXPECT_EQ(vga.console().height(), 480);
  EXPECT_EQ(vga.pixel(8, 10), gray(9));
  EXPECT_EQ(vga.pixel(9, 10), gray(8));
  EXPECT_EQ(vga.pixel(10, 10), gray(1));
  EXPECT_EQ(vga.pixel(11, 10), gray(0));
}

TEST(VgaGraphics, PlaneEnableHidesPlanes) {
  VgaBench vga;
  vga.set_gray_mode(kMode12);
  vga->store(0xa0000, 0x80, 1);
  vga.attr(0x12, 0b0101);
  vga.refresh();
  EXPECT_EQ(vga.pixel(0, 0), gray(5));
}

TEST(VgaGraphics, ColorSelectGivesTheHighBits) {
  VgaBench vga;
  vga.set_gray_mode(kMode12);
  vga->store(0xa0000, 0x80, 1);
  vga.attr(0x10, 0x81);
  vga.attr(0x14, 0x02);
  vga.refresh();
  EXPECT_EQ(vga.pixel(0, 0), gray(0x2f));
}

TEST(VgaGraphics, DacMaskAppliesToEveryIndex) {
  VgaBench vga;
  vga.set_gray_mode(kMode13);
  vga->store(0xa0000, 0x3f, 1);
  vga->outb(0x3c6, 0x0f);
  vga.refresh();
  EXPECT_EQ(vga.pixel(0, 0), gray(0x0f));
}

TEST(VgaGraphics, Mode13PixelsAreTwoDotsSquare) {
  VgaBench vga;
  vga.set_gray_mode(kMode13);
  vga->store(0xa0000 + 320 * 7 + 3, 33, 1);
  vga.refresh();
  EXPECT_EQ(vga.console().width(), 640);
  EXPECT_EQ(vga.console().height(), 400);
  EXPECT_EQ(vga.pattern(5, 14, 4, gray(33)), ".##.");
  EXPECT_EQ(vga.pattern(5, 15, 4, gray(33)), ".##.");
  EXPECT_EQ(vga.pattern(5, 16, 4, gray(33)), "....");
}

TEST(VgaGraphics, ModeXShowsThePlanesInTurn) {
  VgaBench vga;
  vga.set_gray_mode(kMode13);
  vga.seq(4, 0x06);
  vga.crtc(0x14, 0x00);
  vga.crtc(0x17, 0xe3);
  vga.seq(2, 0b0100);
  vga->store(0xa0000 + 80, 17, 1);
  vga.refresh();
  EXPECT_EQ(vga.pattern(2, 2, 8, gray(17)), "..##....");
}

TEST(VgaGraphics, CgaFourColorsComeFromInterleavedBanks) {
  VgaBench vga;
  vga.set_gray_mode(kMode4);
  vga->store(0xb8000 + 80, 0b00011011, 1);
  vga->store(0xb8001 + 80, 0b11000000, 1);
  vga->store(0xba000, 0b10000000, 1);
  vga.refresh();
  EXPECT_EQ(vga.console().width(), 640);
  EXPECT_EQ(vga.console().height(), 400);
  // The third line of the picture is the second of the even bank; every line and dot is doubled.
  EXPECT_EQ(vga.pixel(1, 4), gray(0));
  EXPECT_EQ(vga.pixel(2, 4), gray(1));
  EXPECT_EQ(vga.pixel(4, 5), gray(2));
  EXPECT_EQ(vga.pixel(7, 5), gray(3));
  EXPECT_EQ(vga.pixel(8, 5), gray(3));
  EXPECT_EQ(vga.pixel(10, 5), gray(0));
  EXPECT_EQ(vga.pixel(0, 2), gray(2));
  EXPECT_EQ(vga.pixel(0, 6), gray(0));
}

TEST(VgaGraphics, CgaTwoColorsAreOnePlane) {
  VgaBench vga;
  vga.set_mode(kMode6);
  vga.gray_palette();
  vga->store(0xb8000 + 80 + 1, 0b01000000, 1);
  vga->store(0xba000, 0b10000001, 1);
  vga.refresh();
  EXPECT_EQ(vga.pattern(8, 4, 4, gray(0x17)), ".#..");
  EXPECT_EQ(vga.pattern(0, 2, 8, gray(0x17)), "#......#");
  EXPECT_EQ(vga.pattern(0, 3, 8, gray(0x17)), "#......#");
}

TEST(VgaGraphics, DotPanningShiftsPlanarPixels) {
  VgaBench vga;
  vga.set_gray_mode(kMode12);
  vga->store(0xa0001, 0x80, 1);
  vga.attr(0x13, 3);
  vga.refresh();
  EXPECT_EQ(vga.pattern(0, 0, 8, gray(15)), ".....#..");
}

TEST(VgaGraphics, BytePanningAndStartAddressAdd) {
  VgaBench vga;
  vga.set_gray_mode(kMode12);
  vga->store(0xa0000 + 0x103, 0x80, 1);
  vga.crtc(0x0c, 0x01);
  vga.crtc(0x0d, 0x01);
  vga.crtc(0x08, 0x40);
  vga.refresh();
  EXPECT_EQ(vga.pixel(0, 0), gray(15));
}

TEST(VgaGraphics, PictureWrapsAroundVideoMemory) {
  VgaBench vga;
  vga.set_gray_mode(kMode12);
  vga->store(0xa0000, 0x80, 1);
  vga.crtc(0x0c, 0xff);
  vga.crtc(0x0d, 0xff);
  vga.refresh();
  EXPECT_EQ(vga.pattern(0, 0, 16, gray(15)), "........#.......");
}

TEST(VgaGraphics, OnlyChangedLinesAreReported) {
  VgaBench vga;
  vga.set_gray_mode(kMode13);
  SettledClient client(vga);
  EXPECT_TRUE(client.updates.empty());
  vga->store(0xa0000 + 320 * 50, 1, 1);
  vga->store(0xa0000 + 320 * 51, 1, 1);
  vga->store(0xa0000 + 320 * 90, 1, 1);
  vga.refresh();
  ASSERT_EQ(client.updates.size(), 2U);
  EXPECT_EQ(client.updates[0].y, 100);
  EXPECT_EQ(client.updates[0].height, 4);
  EXPECT_EQ(client.updates[1].y, 180);
  EXPECT_EQ(client.updates[1].height, 2);
}

TEST(VgaGraphics, PaletteChangeRedraws) {
  VgaBench vga;
  vga.set_mode(kMode13);
  vga.refresh();
  vga.dac(0, 63, 0, 0);
  vga.refresh();
  EXPECT_EQ(vga.pixel(300, 200), 0xff0000U);
}

}  // namespace
}  // namespace rhea::test
