// SPDX-License-Identifier: GPL-2.0-or-later
// Text modes: exact pixels of a known font, cursor, blinking, panning, split screen, cells.
#include "tests/display/vga_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr u32 kWhite = 0xffffff, kBlack = 0;

/// 80x25 with black 0, and gray levels that tell attribute colours apart: colour n is 4n in each
/// component.
class VgaText : public testing::Test {
 public:
  VgaText() {
    vga.set_gray_mode(kMode3);
    vga.dac(7, 63, 63, 63);
    vga.crtc(0x0a, 0x20);
    vga.set_glyph('A', std::array<u8, 16>{0x81, 0x00, 0x3c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                          0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf1});
    vga.set_glyph(0xc4, std::array<u8, 1>{0xff});
  }
  VgaBench vga;
};

TEST_F(VgaText, ScreenIs720By400) {
  vga.refresh();
  EXPECT_EQ(vga.console().width(), 720);
  EXPECT_EQ(vga.console().height(), 400);
}

TEST_F(VgaText, GlyphIsDrawnDotByDot) {
  vga.put_text(1, 2, 'A', 0x07);
  vga.refresh();
  EXPECT_EQ(vga.pattern(9, 32, 9, kWhite), "#......#.");
  EXPECT_EQ(vga.pattern(9, 33, 9, kWhite), ".........");
  EXPECT_EQ(vga.pattern(9, 34, 9, kWhite), "..####...");
  EXPECT_EQ(vga.pattern(9, 47, 9, kWhite), "####...#.");
  EXPECT_EQ(vga.pattern(0, 32, 9, kBlack), "#########");
}

TEST_F(VgaText, ColorsComeFromTheAttribute) {
  vga.put_text(0, 0, 'A', 0x52);
  vga.refresh();
  EXPECT_EQ(vga.pixel(0, 0), 0x080808U);
  EXPECT_EQ(vga.pixel(1, 0), 0x141414U);
}

TEST_F(VgaText, LineGraphicsReachTheNinthDot) {
  vga.put_text(0, 0, 0xc4, 0x07);
  vga.refresh();
  EXPECT_EQ(vga.pattern(0, 0, 10, kWhite), "#########.");
  vga.attr(0x10, 0x08);
  vga.refresh();
  EXPECT_EQ(vga.pattern(0, 0, 10, kWhite), "########..");
}

TEST_F(VgaText, EightDotCharactersMake640) {
  vga.seq(1, 0x01);
  vga.attr(0x13, 0);
  vga.put_text(1, 0, 'A', 0x07);
  vga.refresh();
  EXPECT_EQ(vga.console().width(), 640);
  EXPECT_EQ(vga.pattern(8, 0, 8, kWhite), "#......#");
}

TEST_F(VgaText, FortyColumnsAreTwiceAsWide) {
  vga.seq(1, 0x09);
  vga.crtc(0x11, 0x0e);
  vga.crtc(0x01, 39);
  vga.attr(0x13, 0);
  vga.put_text(0, 0, 'A', 0x07);
  vga.refresh();
  EXPECT_EQ(vga.console().width(), 640);
  EXPECT_EQ(vga.pattern(0, 0, 16, kWhite), "##............##");
}

TEST_F(VgaText, CursorCoversItsLines) {
  vga.crtc(0x0a, 13);
  vga.crtc(0x0b, 14);
  vga.crtc(0x0f, 2);
  vga.put_text(2, 0, ' ', 0x07);
  vga.refresh();
  EXPECT_EQ(vga.pattern(18, 12, 9, kWhite), ".........");
  EXPECT_EQ(vga.pattern(18, 13, 9, kWhite), "#########");
  EXPECT_EQ(vga.pattern(18, 14, 9, kWhite), "#########");
  EXPECT_EQ(vga.pattern(18, 15, 9, kWhite), ".........");
}

TEST_F(VgaText, CursorMovesAndLeavesNothingBehind) {
  vga.crtc(0x0a, 0);
  vga.crtc(0x0b, 15);
  vga.put_text(0, 0, ' ', 0x07);
  vga.put_text(1, 0, ' ', 0x07);
  vga.refresh();
  vga.crtc(0x0f, 1);
  vga.refresh();
  EXPECT_EQ(vga.pixel(0, 0), kBlack);
  EXPECT_EQ(vga.pixel(9, 0), kWhite);
}

TEST_F(VgaText, CursorBlinks) {
  vga.crtc(0x0a, 0);
  vga.crtc(0x0b, 15);
  vga.put_text(0, 0, ' ', 0x07);
  vga.refresh();
  EXPECT_EQ(vga.pixel(0, 0), kWhite);
  vga->advance(140'000'000);
  vga.refresh();
  EXPECT_EQ(vga.pixel(0, 0), kBlack);
}

TEST_F(VgaText, BlinkingTextVanishesAndItsBackgroundHasThreeBits) {
  vga.put_text(0, 0, 'A', 0x97);
  vga.refresh();
  EXPECT_EQ(vga.pixel(0, 0), kWhite);
  EXPECT_EQ(vga.pixel(1, 0), 0x040404U);
  vga->advance(270'000'000);
  vga.refresh();
  EXPECT_EQ(vga.pixel(0, 0), 0x040404U);
}

TEST_F(VgaText, WithoutBlinkingTheBackgroundHasFourBits) {
  vga.attr(0x10, 0x04);
  vga.put_text(0, 0, 'A', 0x97);
  vga.refresh();
  EXPECT_EQ(vga.pixel(1, 0), 0x242424U);
}

TEST_F(VgaText, UnderlineShowsForItsAttributeOnly) {
  vga.crtc(0x14, 12);
  vga.put_text(0, 0, ' ', 0x01);
  vga.put_text(1, 0, ' ', 0x07);
  vga.refresh();
  EXPECT_EQ(vga.pattern(0, 12, 9, 0x040404), "#########");
  EXPECT_EQ(vga.pattern(9, 12, 9, kBlack), "#########");
}

TEST_F(VgaText, AttributeBitThreeSelectsTheOtherFont) {
  vga.set_glyph('A', std::array<u8, 1>{0xf0}, 0x4000);
  vga.seq(3, 0x04);
  vga.put_text(0, 0, 'A', 0x0f);
  vga.put_text(1, 0, 'A', 0x07);
  vga.refresh();
  EXPECT_EQ(vga.pattern(0, 0, 9, 0x3c3c3c), "####.....");
  EXPECT_EQ(vga.pattern(9, 0, 9, kWhite), "#......#.");
}

TEST_F(VgaText, FontsAtEightKibibytesAreReachable) {
  vga.set_glyph('A', std::array<u8, 1>{0x18}, 0x2000);
  vga.seq(3, 0x10);
  vga.put_text(0, 0, 'A', 0x07);
  vga.refresh();
  EXPECT_EQ(vga.pattern(0, 0, 9, kWhite), "...##....");
}

TEST_F(VgaText, NewGlyphIsDrawnWithoutAChangeOfText) {
  vga.put_text(0, 0, 'A', 0x07);
  vga.refresh();
  vga.set_glyph('A', std::array<u8, 1>{0x7e});
  vga.refresh();
  EXPECT_EQ(vga.pattern(0, 0, 9, kWhite), ".######..");
}

TEST_F(VgaText, StartAddressScrolls) {
  vga.put_text(0, 1, 'A', 0x07);
  vga.crtc(0x0d, 80);
  vga.refresh();
  EXPECT_EQ(vga.pattern(0, 0, 9, kWhite), "#......#.");
}

TEST_F(VgaText, PresetRowScanScrollsByLines) {
  vga.put_text(0, 0, 'A', 0x07);
  vga.crtc(0x08, 2);
  vga.refresh();
  EXPECT_EQ(vga.pattern(0, 0, 9, kWhite), "..####...");
}

TEST_F(VgaText, DotPanningShiftsLeft) {
  vga.put_text(0, 0, 'A', 0x07);
  vga.attr(0x13, 0x01);
  vga.refresh();
  EXPECT_EQ(vga.pattern(0, 15, 8, kWhite), "##...#..");
}

TEST_F(VgaText, BelowTheSplitTheScreenBeginsAtZero) {
  vga.put_text(0, 0, 'A', 0x07);
  vga.crtc(0x0d, 160);
  vga.crtc(0x18, 99);
  vga.crtc(0x07, 0x0f);
  vga.crtc(0x09, 0x0f);
  vga.refresh();
  EXPECT_EQ(vga.pixel(0, 99), kBlack);
  EXPECT_EQ(vga.pattern(0, 100, 9, kWhite), "#......#.");
}

TEST_F(VgaText, DoubledLinesMakeTwelveRows) {
  vga.crtc(0x09, 0xcf);
  vga.put_text(0, 1, 'A', 0x07);
  vga.refresh();
  EXPECT_EQ(vga.pattern(0, 32, 9, kWhite), "#......#.");
  EXPECT_EQ(vga.pattern(0, 33, 9, kWhite), "#......#.");
  EXPECT_EQ(vga.console().source()->text().rows, 13);
}

TEST_F(VgaText, CellsAreTheTextAndTheCursorItsPlace) {
  vga.crtc(0x0a, 13);
  vga.crtc(0x0b, 14);
  vga.crtc(0x0f, 82);
  vga.put_text(3, 1, 'A', 0x1e);
  const TextScreen screen = vga.console().source()->text();
  EXPECT_EQ(screen.columns, 80);
  EXPECT_EQ(screen.rows, 25);
  EXPECT_EQ(screen.cells.at(83).character, 'A');
  EXPECT_EQ(screen.cells.at(83).attribute, 0x1e);
  EXPECT_EQ(screen.cursor_x, 2);
  EXPECT_EQ(screen.cursor_y, 1);
}

TEST_F(VgaText, HiddenCursorHasNoPlace) { EXPECT_EQ(vga.console().source()->text().cursor_y, -1); }

TEST_F(VgaText, OnlyChangedCellsAreReported) {
  SettledClient client(vga);
  EXPECT_TRUE(client.updates.empty());
  vga.put_text(5, 3, 'A', 0x07);
  vga.refresh();
  ASSERT_EQ(client.updates.size(), 1U);
  EXPECT_EQ(client.updates[0].x, 45);
  EXPECT_EQ(client.updates[0].y, 48);
  EXPECT_EQ(client.updates[0].width, 9);
  EXPECT_EQ(client.updates[0].height, 16);
}

TEST_F(VgaText, ScreenOffIsBlack) {
  vga.put_text(0, 0, 'A', 0x70);
  vga.refresh();
  EXPECT_NE(vga.pixel(3, 3), kBlack);
  vga.seq(1, 0x20);
  vga.refresh();
  EXPECT_EQ(vga.pixel(3, 3), kBlack);
  EXPECT_EQ(vga.console().width(), 720);
}

TEST_F(VgaText, TextStillUnmappedIsReadFromThePlanes) {
  vga.gfx(3, 0x08);
  vga.gfx(8, 0xff);
  vga.gfx(3, 0x00);
  vga.gfx(6, 0x06);
  vga->store(0xa0000, 0x0741, 2);
  vga.refresh();
  EXPECT_EQ(vga.pattern(0, 0, 9, kWhite), "#......#.");
}

}  // namespace
}  // namespace rhea::test
