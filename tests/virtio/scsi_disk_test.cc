// SPDX-License-Identifier: GPL-2.0-or-later
// scsi-hd: what it says of itself, and its commands.
#include "tests/virtio/scsi_fixture.h"

namespace rhea::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

class ScsiHd : public VirtioScsiTest {
 protected:
  void use_disk(const Properties& properties) {
    use_host();
    add_disk("disk0", properties);
    begin();
    hear();
  }
  Bytes vital(u8 page) { return get({0x12, 1, page, 0, 255, 0}, 255); }
  std::string refusal(Properties properties) {
    if (!driver) use_host();
    insert("new");
    properties.emplace_back("drive", "new");
    const auto added = bench.try_add("scsi-hd", properties);
    return added ? "it works" : added.error().message();
  }
  static std::string text(const Bytes& data, std::size_t at, std::size_t size) {
    const auto from = data.begin() + static_cast<std::ptrdiff_t>(at);
    return {from, from + static_cast<std::ptrdiff_t>(size)};
  }
};

TEST_F(ScsiHd, TellsOfItsResetFirst) {
  use_host();
  add_disk();
  begin();
  EXPECT_EQ(get({0x12, 0, 0, 0, 36}, 36)[0], 0);
  EXPECT_EQ(sense_of({0x00}), 0x62900u);
  EXPECT_TRUE(run({0x00}).good());
}

TEST_F(ScsiHd, SaysWhatItIs) {
  use();
  const Bytes data = get({0x12, 0, 0, 0, 96}, 96);
  ASSERT_EQ(data.size(), 36u);
  EXPECT_EQ(data[2], 5);
  EXPECT_EQ(data[3] & 0x0f, 2);
  EXPECT_EQ(data[4], 31);
  EXPECT_EQ(text(data, 8, 28), "QEMU    QEMU HARDDISK   2.5+");
}

TEST_F(ScsiHd, SaysWhatTheUserGaveIt) {
  use_disk({{"vendor", "ACME"},
            {"product", "Anvil"},
            {"ver", "9"},
            {"serial", "S-1"},
            {"wwn", "0x5000c50015ea71ac"},
            {"rotation_rate", "1"}});
  EXPECT_EQ(text(get({0x12, 0, 0, 0, 36}, 36), 8, 28), "ACME    Anvil           9   ");
  EXPECT_THAT(vital(0x00), ElementsAre(0, 0, 0, 6, 0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2));
  EXPECT_THAT(vital(0x80), ElementsAre(0, 0x80, 0, 3, 'S', '-', '1'));
  EXPECT_THAT(vital(0x83), ElementsAre(0, 0x83, 0, 19, 2, 0, 0, 3, 'S', '-', '1', 1, 3, 0, 8, 0x50,
                                       0x00, 0xc5, 0x00, 0x15, 0xea, 0x71, 0xac));
  EXPECT_EQ(hw::get_be(vital(0xb1), 4, 2), 1u);
  EXPECT_EQ(sense_of({0x12, 1, 0x55, 0, 255, 0}, 0, 255), 0x52400u);
  EXPECT_EQ(sense_of({0x12, 0, 0x80, 0, 255, 0}, 0, 255), 0x52400u);
}

TEST_F(ScsiHd, SaysItsLimits) {
  use_disk({{"min_io_size", "4096"}, {"opt_io_size", "65536"}, {"max_io_size", "1048576"}});
  const Bytes limits = vital(0xb0);
  ASSERT_EQ(limits.size(), 64u);
  EXPECT_EQ(limits[4], 1);
  EXPECT_EQ(hw::get_be(limits, 6, 2), 8u);
  EXPECT_EQ(hw::get_be(limits, 8, 4), 2048u);
  EXPECT_EQ(hw::get_be(limits, 12, 4), 128u);
  EXPECT_EQ(hw::get_be(limits, 20, 4), GiB / 512);
  EXPECT_EQ(hw::get_be(limits, 24, 4), 255u);
  EXPECT_EQ(hw::get_be(limits, 28, 4), 8u);
  EXPECT_EQ(hw::get_be(limits, 36, 8), 2048u);
  EXPECT_THAT(vital(0xb2), ElementsAre(0, 0xb2, 0, 4, 0, 0xe0, 2, 0));
  EXPECT_EQ(sense_of(ten(0x28, 0, 2049), 0, 2049 * 512), 0x52400u);
}

TEST_F(ScsiHd, PropertiesAreChecked) {
  EXPECT_THAT(refusal({{"serial", std::string(37, 'x')}}), HasSubstr("longer than 36"));
  EXPECT_THAT(refusal({{"logical_block_size", "768"}}), HasSubstr("power of two"));
  EXPECT_THAT(refusal({{"logical_block_size", "4096"}, {"physical_block_size", "512"}}),
              HasSubstr("logical_block_size > physical_block_size"));
  EXPECT_THAT(refusal({{"cyls", "3"}}), HasSubstr("given together"));
  const auto without = bench.try_add("scsi-hd", {});
  EXPECT_EQ(without ? "" : without.error().message(), "drive property not set");
}

TEST_F(ScsiHd, ReadsAndWritesByAllItsCommands) {
  use();
  EXPECT_EQ(get({0x08, 0, 0, 5, 1, 0}, 512), on_disk(5 * 512, 512));
  EXPECT_EQ(get(ten(0x28, 6, 3), 1536), on_disk(6 * 512, 1536));
  EXPECT_EQ(get({0xa8, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0}, 512), on_disk(7 * 512, 512));
  EXPECT_EQ(get(sixteen(0x88, 8, 2), 1024), on_disk(8 * 512, 1024));
  EXPECT_TRUE(put({0x0a, 0, 0, 20, 1, 0}, Bytes(512, 0x11)).good());
  EXPECT_TRUE(put(ten(0x2a, 21, 1), Bytes(512, 0x22)).good());
  EXPECT_TRUE(put({0xaa, 0, 0, 0, 0, 22, 0, 0, 0, 1, 0, 0}, Bytes(512, 0x33)).good());
  EXPECT_TRUE(put(sixteen(0x8a, 23, 1), Bytes(512, 0x44)).good());
  EXPECT_THAT(on_disk(20 * 512, 512), Each(0x11));
  EXPECT_THAT(on_disk(21 * 512, 512), Each(0x22));
  EXPECT_THAT(on_disk(22 * 512, 512), Each(0x33));
  EXPECT_THAT(on_disk(23 * 512, 512), Each(0x44));
  EXPECT_EQ(gates["disk0"]->flushes, 0u);
}

TEST_F(ScsiHd, ZeroBlocksOfTheShortestCommandAre256) {
  use();
  EXPECT_EQ(get({0x08, 0, 0, 0, 0, 0}, 256 * 512), on_disk(0, 256 * 512));
  EXPECT_TRUE(run(ten(0x28, 0, 0)).good());
}

TEST_F(ScsiHd, LongTransfersGoPieceByPiece) {
  use();
  EXPECT_EQ(get(ten(0x28, 0, 6000), 6000 * 512), on_disk(0, 6000 * 512));
}

TEST_F(ScsiHd, BlocksBeyondTheEndAreRefused) {
  use();
  constexpr u32 kBlocks = kScsiDiskBytes / 512;
  EXPECT_EQ(sense_of(ten(0x28, kBlocks - 1, 2), 0, 1024), 0x52100u);
  EXPECT_EQ(sense_of(sixteen(0x8a, ~u64{0}, 1), 512), 0x52100u);
  EXPECT_EQ(sense_of(ten(0x35, kBlocks, 1)), 0x52100u);
  EXPECT_TRUE(run(ten(0x28, kBlocks - 1, 1), 0, 512).good());
}

TEST_F(ScsiHd, ItsCapacityComesInTwoSizes) {
  use_disk({{"logical_block_size", "4096"}, {"physical_block_size", "16384"}});
  const Bytes small = get({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 8);
  EXPECT_EQ(hw::get_be(small, 0, 4), 1023u);
  EXPECT_EQ(hw::get_be(small, 4, 4), 4096u);
  const Bytes large = get({0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0}, 32);
  EXPECT_EQ(hw::get_be(large, 0, 8), 1023u);
  EXPECT_EQ(hw::get_be(large, 8, 4), 4096u);
  EXPECT_EQ(large[13], 2);
  EXPECT_EQ(large[14], 0x80);
  EXPECT_EQ(get(ten(0x28, 3, 1), 4096), on_disk(3 * 4096, 4096));
}

TEST_F(ScsiHd, AWriteReachesTheDiskWhereItMust) {
  use();
  EXPECT_TRUE(put(ten(0x2a, 1, 1, 0x08), Bytes(512, 1)).good());
  EXPECT_EQ(gates["disk0"]->flushes, 1u);
  EXPECT_TRUE(run(ten(0x35, 0, 0)).good());
  EXPECT_EQ(gates["disk0"]->flushes, 2u);
}

TEST_F(ScsiHd, WithoutAWriteCacheEachWriteReachesTheDisk) {
  use_disk({{"write-cache", "off"}});
  EXPECT_TRUE(put(ten(0x2a, 1, 1), Bytes(512, 1)).good());
  EXPECT_EQ(gates["disk0"]->flushes, 1u);
}

TEST_F(ScsiHd, TheWriteCacheIsADriversToSwitch) {
  use();
  Bytes page = get({0x1a, 8, 8, 0, 64, 0}, 64);
  ASSERT_EQ(page.size(), 24u);
  EXPECT_EQ(page[6], 0x04);
  page[0] = 0;
  page[6] = 0;
  EXPECT_TRUE(put({0x15, 0x10, 0, 0, 24, 0}, page).good());
  EXPECT_EQ(get({0x1a, 8, 8, 0, 64, 0}, 64)[6], 0);
  EXPECT_TRUE(put(ten(0x2a, 1, 1), Bytes(512, 1)).good());
  EXPECT_EQ(gates["disk0"]->flushes, 1u);
  page[7] = 1;
  EXPECT_EQ(put({0x15, 0x10, 0, 0, 24, 0}, page).sense, 0x52600u);
  EXPECT_EQ(put({0x15, 0x10, 0, 0, 23, 0}, page).sense, 0x51a00u);
  EXPECT_EQ(put({0x15, 0x11, 0, 0, 24, 0}, page).sense, 0x52400u);
}

TEST_F(ScsiHd, ModePagesComeInTwoSizesAndThreeKinds) {
  use();
  const Bytes all = get({0x5a, 0, 0x3f, 0, 0, 0, 0, 1, 0, 0}, 256);
  EXPECT_EQ(hw::get_be(all, 0, 2), all.size() - 2);
  EXPECT_EQ(hw::get_be(all, 6, 2), 8u);
  EXPECT_EQ(hw::get_be(all, 9, 3), kScsiDiskBytes / 512);
  EXPECT_EQ(hw::get_be(all, 13, 3), 512u);
  EXPECT_EQ(get({0x1a, 8, 0x48, 0, 64, 0}, 64)[6], 0x04);
  EXPECT_EQ(sense_of({0x1a, 8, 0xc8, 0, 64, 0}, 0, 64), 0x53900u);
  EXPECT_EQ(sense_of({0x1a, 8, 0x33, 0, 64, 0}, 0, 64), 0x52400u);
}

TEST_F(ScsiHd, VerifiesWhatIsThere) {
  use();
  EXPECT_TRUE(run(ten(0x2f, 4, 2)).good());
  EXPECT_TRUE(put(ten(0x2f, 4, 2, 0x02), on_disk(4 * 512, 1024)).good());
  EXPECT_EQ(put(ten(0x2f, 4, 2, 0x02), Bytes(1024, 9)).sense, 0xe1d00u);
  EXPECT_EQ(put(ten(0x2f, 4, 2, 0x06), on_disk(4 * 512, 512)).sense, 0xe1d00u);
  EXPECT_EQ(sense_of(ten(0x2f, 4, 2, 0x04)), 0x52400u);
  EXPECT_TRUE(put(ten(0x2e, 9, 1, 0x02), Bytes(512, 7)).good());
  EXPECT_THAT(on_disk(9 * 512, 512), Each(7));
  EXPECT_TRUE(put(ten(0x2f, 9, 1, 0x06), Bytes(512, 7)).good());
}

TEST_F(ScsiHd, WritesTheSameOverAndOver) {
  use();
  EXPECT_TRUE(put(ten(0x41, 10, 4), Bytes(512, 0x5a)).good());
  EXPECT_THAT(on_disk(10 * 512, 4 * 512), Each(0x5a));
  EXPECT_TRUE(put(sixteen(0x93, 10, 2, 0x08), Bytes(512, 0)).good());
  EXPECT_THAT(on_disk(10 * 512, 2 * 512), Each(0));
  EXPECT_TRUE(run(sixteen(0x93, 12, 1, 0x01)).good());
  EXPECT_THAT(on_disk(12 * 512, 512), Each(0));
  EXPECT_THAT(on_disk(13 * 512, 512), Each(0x5a));
  EXPECT_EQ(put(ten(0x41, 10, 0), Bytes(512, 1)).sense, 0x52400u);
}

TEST_F(ScsiHd, UnmapsRanges) {
  use();
  Bytes list(8 + 32);
  hw::put_be(list, 0, list.size() - 2, 2);
  hw::put_be(list, 2, 32, 2);
  hw::put_be(list, 8, 40, 8);
  hw::put_be(list, 16, 2, 4);
  hw::put_be(list, 24, 50, 8);
  hw::put_be(list, 32, 1, 4);
  const Cdb unmap{0x42, 0, 0, 0, 0, 0, 0, 0, 40, 0};
  EXPECT_TRUE(put(unmap, list).good());
  EXPECT_THAT(on_disk(40 * 512, 2 * 512), Each(0));
  EXPECT_THAT(on_disk(50 * 512, 512), Each(0));
  hw::put_be(list, 24, kScsiDiskBytes, 8);
  EXPECT_EQ(put(unmap, list).sense, 0x52100u);
  EXPECT_EQ(put({0x42, 0, 0, 0, 0, 0, 0, 0, 4, 0}, Bytes(4)).sense, 0x51a00u);
}

TEST_F(ScsiHd, AReadOnlyDiskIsWriteProtected) {
  insert("disk0", kScsiDiskBytes, true);
  use();
  EXPECT_EQ(get({0x1a, 8, 8, 0, 64, 0}, 64)[2], 0x80);
  EXPECT_EQ(sense_of(ten(0x2a, 0, 1), 512), 0x72700u);
}

TEST_F(ScsiHd, ErrorsOfTheHostAreErrorsOfTheMedium) {
  use();
  gates["disk0"]->break_at(600);
  EXPECT_EQ(sense_of(ten(0x28, 1, 1), 0, 512), 0x31100u);
  EXPECT_EQ(put(ten(0x2a, 1, 1), Bytes(512, 1)).sense, 0x30c00u);
}

TEST_F(ScsiHd, AStoppedDiskIsNotReady) {
  use();
  EXPECT_TRUE(run({0x1b, 0, 0, 0, 0, 0}).good());
  EXPECT_EQ(sense_of({0x00}), 0x20402u);
  EXPECT_EQ(sense_of(ten(0x28, 0, 1), 0, 512), 0x20402u);
  EXPECT_TRUE(run({0x1b, 0, 0, 0, 1, 0}).good());
  EXPECT_TRUE(run({0x00}).good());
}

TEST_F(ScsiHd, WhatItDoesNotKnowItRefuses) {
  use();
  EXPECT_EQ(sense_of({0xee}), 0x52000u);
  EXPECT_EQ(sense_of({0x7f}), 0x52000u);
  EXPECT_EQ(sense_of(ten(0x28, 0, 1, 0x20), 0, 512), 0x52400u);
  EXPECT_EQ(sense_of({0x00, 0, 0, 0, 0, 0x04}), 0x52400u);
  EXPECT_EQ(sense_of({0x9e, 0x12}, 0, 32), 0x52400u);
}

TEST_F(ScsiHd, SmallerThingsSucceed) {
  use();
  EXPECT_TRUE(run({0x16}).good());
  EXPECT_TRUE(run({0x17}).good());
  EXPECT_TRUE(run({0x1d, 4}).good());
  EXPECT_TRUE(run({0x1e, 0, 0, 0, 1}).good());
  EXPECT_TRUE(run({0x04}).good());
  EXPECT_TRUE(run(ten(0x2b, 7, 0)).good());
  EXPECT_THAT(get({0x03, 0, 0, 0, 18}, 18),
              ElementsAre(0x70, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
}

}  // namespace
}  // namespace rhea::test
