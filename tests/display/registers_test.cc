// SPDX-License-Identifier: GPL-2.0-or-later
// The VGA's registers: read-back, locks, DAC, input status.
#include "tests/display/vga_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

TEST(VgaRegisters, SequencerKeepsItsBits) {
  VgaBench vga;
  const auto masked = [&](u8 index) {
    vga.seq(index, 0xff);
    return vga.seq(index);
  };
  EXPECT_EQ(masked(0), 0x03);
  EXPECT_EQ(masked(1), 0x3d);
  EXPECT_EQ(masked(2), 0x0f);
  EXPECT_EQ(masked(3), 0x3f);
  EXPECT_EQ(masked(4), 0x0e);
  EXPECT_EQ(masked(5), 0x00);
}

TEST(VgaRegisters, GraphicsControllerKeepsItsBits) {
  VgaBench vga;
  const auto masked = [&](u8 index) {
    vga.gfx(index, 0xff);
    return vga.gfx(index);
  };
  EXPECT_EQ(masked(0), 0x0f);
  EXPECT_EQ(masked(3), 0x1f);
  EXPECT_EQ(masked(4), 0x03);
  EXPECT_EQ(masked(5), 0x7b);
  EXPECT_EQ(masked(6), 0x0f);
  EXPECT_EQ(masked(8), 0xff);
  EXPECT_EQ(masked(9), 0x00);
}

TEST(VgaRegisters, AttributeControllerKeepsItsBits) {
  VgaBench vga;
  vga->outb(0x3c2, 1);
  const auto masked = [&](u8 index) {
    vga.attr(index, 0xff);
    return vga.attr(index);
  };
  EXPECT_EQ(masked(0), 0x3f);
  EXPECT_EQ(masked(0x10), 0xef);
  EXPECT_EQ(masked(0x11), 0xff);
  EXPECT_EQ(masked(0x12), 0x3f);
  EXPECT_EQ(masked(0x13), 0x0f);
  EXPECT_EQ(masked(0x14), 0x0f);
  EXPECT_EQ(masked(0x15), 0x00);
}

TEST(VgaRegisters, ReadingTheInputStatusMakesTheNextAttributeWriteAnIndex) {
  VgaBench vga;
  vga->outb(0x3c2, 1);
  vga->inb(0x3da);
  vga->outb(0x3c0, 0x02);
  vga->inb(0x3da);
  vga->outb(0x3c0, 0x05);
  EXPECT_EQ(vga->inb(0x3c0), 0);
  vga->outb(0x3c0, 0x11);
  EXPECT_EQ(vga->inb(0x3c0), 0x05);
  EXPECT_EQ(vga.attr(5), 0x11);
}

TEST(VgaRegisters, CrtcIsWhereMiscSaysAndNowhereElse) {
  VgaBench vga;
  vga->outb(0x3c2, 0x01);
  vga.crtc(0x0c, 0x12);
  vga->outb(0x3b4, 0x0d);
  EXPECT_EQ(vga->inb(0x3b5), 0xff);
  EXPECT_EQ(vga->inb(0x3d5), 0x12);
  vga->outb(0x3c2, 0x00);
  EXPECT_EQ(vga->inb(0x3d5), 0xff);
  EXPECT_EQ(vga->inb(0x3b5), 0x12);
}

TEST(VgaRegisters, ProtectBitLocksTheTimingButNotLineCompare) {
  VgaBench vga;
  vga->outb(0x3c2, 0x01);
  vga.crtc(0x00, 0x5f);
  vga.crtc(0x07, 0x0f);
  vga.crtc(0x11, 0x80);
  vga.crtc(0x00, 0x11);
  vga.crtc(0x07, 0x10);
  vga.crtc(0x13, 0x28);
  EXPECT_EQ(vga.crtc(0x00), 0x5f);
  EXPECT_EQ(vga.crtc(0x07), 0x1f);
  EXPECT_EQ(vga.crtc(0x13), 0x28);
}

TEST(VgaRegisters, WordWritesGoToIndexAndData) {
  VgaBench vga;
  vga->outw(0x3c4, 0x0502);
  EXPECT_EQ(vga.seq(2), 0x05);
}

TEST(VgaRegisters, DacCountsThroughComponentsAndColors) {
  VgaBench vga;
  vga.dac(7, 1, 2, 3);
  vga->outb(0x3c9, 63);
  vga->outb(0x3c9, 0xff);
  vga->outb(0x3c9, 33);
  vga->outb(0x3c7, 7);
  EXPECT_EQ(vga->inb(0x3c7), 3);
  EXPECT_EQ(vga->inb(0x3c9), 1);
  EXPECT_EQ(vga->inb(0x3c9), 2);
  EXPECT_EQ(vga->inb(0x3c9), 3);
  EXPECT_EQ(vga->inb(0x3c9), 63);
  EXPECT_EQ(vga->inb(0x3c9), 63);
  EXPECT_EQ(vga->inb(0x3c9), 33);
  vga->outb(0x3c8, 0);
  EXPECT_EQ(vga->inb(0x3c7), 0);
}

// The two address ports are one register, which a read address moves on at once.
TEST(VgaRegisters, DacWritesGoWhereTheAddressIsWhicheverPortSetIt) {
  VgaBench vga;
  vga.dac(0x08, 9, 9, 9);
  vga.dac(0x40, 1, 1, 1);
  vga->outb(0x3c8, 0x40);
  vga->outb(0x3c7, 0x07);
  EXPECT_EQ(vga->inb(0x3c8), 0x08);
  vga->outb(0x3c9, 10);
  vga->outb(0x3c9, 20);
  vga->outb(0x3c9, 30);
  vga->outb(0x3c7, 0x40);
  EXPECT_EQ(vga->inb(0x3c9), 1);
  vga->outb(0x3c7, 0x08);
  EXPECT_EQ(vga->inb(0x3c9), 10);
  EXPECT_EQ(vga->inb(0x3c9), 20);
  EXPECT_EQ(vga->inb(0x3c9), 30);
}

TEST(VgaRegisters, DacReadsMoveTheWriteAddressOn) {
  VgaBench vga;
  vga->outb(0x3c7, 0x10);
  vga->inb(0x3c9);
  vga->inb(0x3c9);
  vga->inb(0x3c9);
  EXPECT_EQ(vga->inb(0x3c8), 0x12);
}

TEST(VgaRegisters, DacColorIsFetchedWithItsAddress) {
  VgaBench vga;
  vga.dac(5, 1, 2, 3);
  vga->outb(0x3c7, 5);
  EXPECT_EQ(vga->inb(0x3c9), 1);
  const auto saved = vga->save();
  vga.dac(5, 7, 8, 9);
  ASSERT_TRUE(vga->load(saved));
  EXPECT_EQ(vga->inb(0x3c9), 2);
  EXPECT_EQ(vga->inb(0x3c9), 3);
}

TEST(VgaRegisters, DacColorChangesOnlyWithItsThirdComponent) {
  VgaBench vga;
  vga.dac(0, 9, 9, 9);
  vga->outb(0x3c8, 0);
  vga->outb(0x3c9, 1);
  vga->outb(0x3c9, 2);
  vga->outb(0x3c7, 0);
  EXPECT_EQ(vga->inb(0x3c9), 9);
}

TEST(VgaRegisters, RetraceFollowsVirtualTime) {
  VgaBench vga;
  vga.set_mode(kMode3);
  // Line 0, then line 413 of 449, with 31.8 microseconds each.
  EXPECT_EQ(vga->inb(0x3da) & 9, 0);
  vga->advance(i64{413} * 31'778);
  EXPECT_EQ(vga->inb(0x3da) & 9, 9);
  vga->advance(i64{10} * 31'778);
  EXPECT_EQ(vga->inb(0x3da) & 9, 1);
}

TEST(VgaRegisters, ARetraceThatWasMissedIsSeenOnce) {
  VgaBench vga;
  vga.set_mode(kMode3);
  EXPECT_EQ(vga->inb(0x3da) & 8, 0);
  vga->advance(20'000'000);
  EXPECT_EQ(vga->inb(0x3da) & 8, 8);
  EXPECT_EQ(vga->inb(0x3da) & 8, 0);
}

TEST(VgaRegisters, HorizontalBlankingShowsInTheInputStatus) {
  VgaBench vga;
  vga.set_mode(kMode3);
  vga->advance(i64{10} * 31'778 + 28'000);
  EXPECT_EQ(vga->inb(0x3da) & 9, 1);
}

TEST(VgaRegisters, BarTwoShowsThePorts) {
  VgaBench vga;
  vga.map_bars();
  vga->store(VgaBench::kRegisters + 0x404, 0x02, 1);
  vga->store(VgaBench::kRegisters + 0x405, 0x09, 1);
  EXPECT_EQ(vga.seq(2), 0x09);
  EXPECT_EQ(vga->load(VgaBench::kRegisters + 0x405, 1), 0x09U);
}

TEST(VgaRegisters, BarTwoHasTheExtendedRegistersAndAnEdid) {
  VgaBench vga;
  vga.map_bars();
  EXPECT_EQ(vga->load(VgaBench::kRegisters + 0x600, 4), 8U);
  EXPECT_EQ(vga->load(VgaBench::kRegisters + 0x604, 4), 0x1e1e1e1eU);
  const auto edid = vga->read(VgaBench::kRegisters, 128);
  EXPECT_EQ(edid[1], 0xff);
  EXPECT_EQ(edid[54 + 2] | (edid[54 + 4] >> 4) << 8, 1280);
  EXPECT_EQ(edid[54 + 5] | (edid[54 + 7] >> 4) << 8, 800);
  u8 sum = 0;
  for (const u8 byte : edid) sum = static_cast<u8>(sum + byte);
  EXPECT_EQ(sum, 0);
}

TEST(VgaRegisters, EdidTellsTheWantedResolution) {
  VgaBench vga({{"xres", "1920"}, {"yres", "1080"}});
  vga.map_bars();
  const auto edid = vga->read(VgaBench::kRegisters, 128);
  EXPECT_EQ(edid[54 + 2] | (edid[54 + 4] >> 4) << 8, 1920);
  EXPECT_EQ(edid[54 + 5] | (edid[54 + 7] >> 4) << 8, 1080);
}

TEST(VgaRegisters, MemorySizeMustBeAPowerOfTwo) {
  Bench bench;
  const auto result = bench.try_add("VGA", {{"vgamem_mb", "3"}, {"romfile", ""}});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message().find("vgamem_mb=3"), std::string::npos);
}

TEST(VgaRegisters, PciHeaderIsQemusStandardVga) {
  VgaBench vga;
  EXPECT_EQ(vga->config_read(16, 0, 4), 0x11111234U);
  EXPECT_EQ(vga->config_read(16, 8, 4), 0x03000002U);
  vga->config_write(16, 0x10, 0xffffffff, 4);
  EXPECT_EQ(vga->config_read(16, 0x10, 4), 0xff000008U);
}

TEST(IsaVga, HasTheSamePortsAndItsMemoryAtAFixedAddress) {
  Bench bench;
  bench.add("isa-vga");
  bench.outw(0x1ce, 0x0a);
  EXPECT_EQ(bench.inw(0x1cf), 8 * 16);
  bench.store(0xe0001000, 0x55, 1);
  EXPECT_EQ(bench.load(0xe0001000, 1), 0x55U);
  EXPECT_EQ(bench.load(0xe0800000, 1), 0xffU);
  bench.outw(0x3c4, 0x0902);
  EXPECT_EQ(bench.inb(0x3c5), 0x09);
}

}  // namespace
}  // namespace rhea::test
