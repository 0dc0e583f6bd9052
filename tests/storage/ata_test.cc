// SPDX-License-Identifier: GPL-2.0-or-later
// ATA disks: PIO transfers and addressing.
#include "tests/storage/ata_fixture.h"

#include <gmock/gmock.h>

namespace rhea::test {
namespace {

using Host = IdeHost;
using AtaPio = Ata;

TEST_F(AtaPio, ReadSectorsGivesTheImage) {
  host.set_lba28(5, 3);
  EXPECT_EQ(host.command(0x20), kReady | Host::kDrq);
  EXPECT_EQ(host.read_data(3 * 512), image(5, 3));
  EXPECT_EQ(host.status(), kReady);
}

TEST_F(AtaPio, EachBlockOfAReadHasAnInterruptAndTheEndHasNone) {
  host.set_lba28(0, 2);
  host.command(0x20);
  EXPECT_TRUE(host.irq());
  host.status();
  EXPECT_FALSE(host.irq());
  host.read_data(512);
  EXPECT_TRUE(host.irq());
  host.status();
  host.read_data(512);
  EXPECT_FALSE(host.irq());
}

TEST_F(AtaPio, ReadMultipleMovesLargerBlocks) {
  EXPECT_EQ(simple(0xc6, 0, 4), kReady);
  host.set_lba28(10, 6);
  host.command(0xc4);
  const unsigned before = bench.irq_edges(14);
  host.status();
  EXPECT_EQ(host.read_data(6 * 512), image(10, 6));
  EXPECT_EQ(bench.irq_edges(14), before + 1);
}

TEST_F(AtaPio, ReadMultipleIsRefusedWithoutASize) {
  EXPECT_EQ(simple(0xc6, 0, 0), kReady);
  host.set_lba28(0, 1);
  EXPECT_EQ(host.command(0xc4), kFailed);
  EXPECT_EQ(host.reg(1), kAbort);
}

TEST_F(AtaPio, SetMultipleTakesPowersOfTwoUpTo16) {
  EXPECT_EQ(simple(0xc6, 0, 16), kReady);
  EXPECT_EQ(word(identify(), 59), 0x0110);
  EXPECT_EQ(simple(0xc6, 0, 3), kFailed);
  EXPECT_EQ(simple(0xc6, 0, 32), kFailed);
}

TEST_F(AtaPio, ACountOfZeroIs256Sectors) {
  host.set_lba28(0, 0);
  host.command(0x20);
  EXPECT_EQ(host.read_data(256 * 512), image(0, 256));
  EXPECT_EQ(host.status(), kReady);
}

TEST_F(AtaPio, ReadsLongerThanTheBufferGoOn) {
  host.set_lba48(3, 1000);
  host.command(0x24);
  EXPECT_EQ(host.read_data(1000 * 512), image(3, 1000));
  EXPECT_EQ(host.status(), kReady);
}

TEST_F(AtaPio, DataCanBeReadInDoublewords) {
  host.set_lba28(7, 1);
  host.command(0x20);
  const auto expected = image(7, 1);
  EXPECT_EQ(bench.inl(0x1f0), u32{expected[0]} | u32{expected[1]} << 8 | u32{expected[2]} << 16 |
                                  u32{expected[3]} << 24);
  EXPECT_EQ(bench.inw(0x1f0), u32{expected[4]} | u32{expected[5]} << 8);
}

TEST_F(AtaPio, WriteSectorsReachesTheImage) {
  host.set_lba28(9, 2);
  EXPECT_EQ(host.command(0x30), kReady | Host::kDrq);
  EXPECT_FALSE(host.irq());
  host.write_data(std::vector<u8>(1024, 0xa5));
  EXPECT_EQ(host.settle(), kReady);
  EXPECT_TRUE(host.irq());
  EXPECT_EQ(image(9, 2), std::vector<u8>(1024, 0xa5));
}

TEST_F(AtaPio, WriteMultipleReachesTheImage) {
  host.set_lba28(100, 20);
  host.command(0xc5);
  host.write_data(std::vector<u8>(20 * 512, 0x11));
  EXPECT_EQ(host.settle(), kReady);
  EXPECT_EQ(image(100, 20), std::vector<u8>(20 * 512, 0x11));
}

TEST_F(AtaPio, WritesLongerThanTheBufferGoOn) {
  host.set_lba48(50, 700);
  host.command(0x34);
  host.write_data(std::vector<u8>(700 * 512, 0x77));
  EXPECT_EQ(host.settle(), kReady);
  EXPECT_EQ(image(50, 700), std::vector<u8>(700 * 512, 0x77));
}

// ---- Addresses

TEST_F(AtaPio, CylindersHeadsAndSectorsAreTranslated) {
  host.set_reg(6, 0xa0 | 3);  // head 3
  host.set_reg(2, 1);
  host.set_reg(3, 7);
  host.set_reg(4, 2);
  host.set_reg(5, 0);
  host.command(0x20);
  EXPECT_EQ(host.read_data(512), image((2 * 16 + 3) * 63 + 6, 1));
}

TEST_F(AtaPio, InitializeDeviceParametersChangesTheTranslation) {
  host.set_reg(6, 0xa0 | 7);  // eight heads
  host.set_reg(2, 17);
  EXPECT_EQ(host.command(0x91), kReady);
  const auto id = identify();
  EXPECT_EQ(word(id, 55), 8);
  EXPECT_EQ(word(id, 56), 17);
  host.set_reg(6, 0xa0 | 1);
  host.set_reg(2, 1);
  host.set_reg(3, 1);
  host.set_reg(4, 5);
  host.set_reg(5, 0);
  host.command(0x20);
  EXPECT_EQ(host.read_data(512), image((5 * 8 + 1) * 17, 1));
}

TEST_F(AtaPio, SectorZeroIsNotFound) {
  host.set_reg(6, 0xa0);
  host.set_reg(2, 1);
  host.set_reg(3, 0);
  EXPECT_EQ(host.command(0x20), kFailed);
  EXPECT_EQ(host.reg(1), kNotFound);
}

TEST_F(AtaPio, AReadBeyondTheEndIsNotFound) {
  host.set_lba28(kSectors - 1, 2);
  EXPECT_EQ(host.command(0x20), kFailed);
  EXPECT_EQ(host.reg(1), kNotFound);
  EXPECT_TRUE(host.irq());
}

TEST_F(AtaPio, TheLastSectorCanBeRead) {
  host.set_lba28(kSectors - 1, 1);
  host.command(0x20);
  EXPECT_EQ(host.read_data(512), image(kSectors - 1, 1));
}

TEST_F(AtaPio, A48BitAddressBeyond28BitsIsNotTruncated) {
  host.set_lba48(u64{1} << 28, 1);
  EXPECT_EQ(host.command(0x24), kFailed);
  EXPECT_EQ(host.reg(1), kNotFound);
}

TEST_F(AtaPio, AfterACommandTheAddressIsThatOfTheLastSector) {
  host.set_lba28(0x123, 4);
  host.command(0x20);
  host.read_data(4 * 512);
  EXPECT_EQ(host.reg(3), 0x26);
  EXPECT_EQ(host.reg(4), 0x01);
  EXPECT_EQ(host.reg(2), 0);
}

TEST_F(AtaPio, AnUnreadableSectorIsUncorrectable) {
  gate->break_at(20 * 512);
  host.set_lba28(20, 1);
  EXPECT_EQ(host.command(0x20), kFailed);
  EXPECT_EQ(host.reg(1), kUncorrectable);
  EXPECT_EQ(host.reg(3), 20);
}

TEST_F(AtaPio, AnUnwritableSectorAborts) {
  gate->break_at(20 * 512);
  host.set_lba28(20, 1);
  host.command(0x30);
  host.write_data(std::vector<u8>(512));
  EXPECT_EQ(host.settle(), kFailed);
  EXPECT_EQ(host.reg(1), kAbort);
}

TEST_F(AtaPio, ReadVerifyChecksWithoutData) {
  host.set_lba28(0, 10);
  EXPECT_EQ(host.command(0x40), kReady);
  gate->break_at(5 * 512);
  host.set_lba28(0, 10);
  EXPECT_EQ(host.command(0x40), kFailed);
}

// Guests do not expect it of a hard disk.
TEST(AtaReadOnly, AMediumThatCannotBeWrittenIsRefused) {
  Bench bench;
  IdeHost::add_controller(bench);
  make_fake_disk(bench, "ro", MiB, true);
  const auto plugged = bench.machine().plug("ide-hd", {{"drive", "ro"}}, {}, "ide.0");
  ASSERT_FALSE(plugged);
  EXPECT_THAT(plugged.error().message(), testing::HasSubstr("Block node is read-only"));
}

}  // namespace
}  // namespace rhea::test
