// SPDX-License-Identifier: GPL-2.0-or-later
// scsi-cd: discs, trays, and who hears of them.
#include "block/media.h"
#include "tests/virtio/scsi_fixture.h"

namespace rhea::test {
namespace {

using testing::ElementsAre;

class ScsiCd : public VirtioScsiTest {
 protected:
  static constexpr u32 kBlocks = 600;
  void use_cd() {
    use_host();
    add_cd();
    begin();
    hear();
  }
  BlockBackend& cd() { return backend("cd0"); }
  /// Event and status, as GET EVENT STATUS NOTIFICATION has them.
  std::pair<u8, u8> media_event() {
    const Bytes data = get({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0}, 8);
    return {data.at(4), data.at(5)};
  }
  /// READ CD.
  static Cdb read_cd(u32 lba, u8 count, u8 flags) {
    Cdb cdb(12);
    cdb[0] = 0xbe;
    hw::put_be(cdb, 2, lba, 4);
    cdb[8] = count;
    cdb[9] = flags;
    return cdb;
  }
};

TEST_F(ScsiCd, SaysWhatItIs) {
  use_cd();
  const Bytes data = get({0x12, 0, 0, 0, 36, 0}, 36);
  EXPECT_EQ(data[0], 5);
  EXPECT_EQ(data[1], 0x80);
  EXPECT_EQ(std::string(data.begin() + 8, data.end()), "QEMU    QEMU CD-ROM     2.5+");
  EXPECT_THAT(get({0x12, 1, 0, 0, 64, 0}, 64), ElementsAre(5, 0, 0, 2, 0x00, 0x83));
}

TEST_F(ScsiCd, ReadsBlocksAndSectors) {
  use_cd();
  EXPECT_EQ(get(ten(0x28, 3, 2), 4096), on_disk(3 * 2048, 4096, "cd0"));
  EXPECT_EQ(get({0xa8, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0}, 2048), on_disk(4 * 2048, 2048, "cd0"));
  const Bytes sectors = get(read_cd(16, 2, 0xf8), 2 * 2352);
  ASSERT_EQ(sectors.size(), 2u * 2352);
  EXPECT_EQ(sectors[12], 0x00);
  EXPECT_EQ(sectors[13], 0x02);
  EXPECT_EQ(sectors[14], 0x16);
  EXPECT_EQ(sectors[2352 + 14], 0x17);
  EXPECT_EQ(Bytes(sectors.begin() + 2352 + 16, sectors.begin() + 2352 + 16 + 2048),
            on_disk(17 * 2048, 2048, "cd0"));
  EXPECT_EQ(run(read_cd(16, 2, 0xf8), 0, 4096).response, Response::Overrun);
  EXPECT_EQ(sense_of(ten(0x28, kBlocks, 1), 0, 2048), 0x52100u);
}

TEST_F(ScsiCd, HasATableOfContentsAndACapacity) {
  use_cd();
  EXPECT_EQ(hw::get_be(get({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 8), 0, 4), kBlocks - 1);
  EXPECT_EQ(get({0x43, 0, 0, 0, 0, 0, 0, 0, 20, 0}, 20).size(), 20u);
  EXPECT_EQ(get({0x51, 0, 0, 0, 0, 0, 0, 0, 34, 0}, 34)[2], 0x0e);
  EXPECT_EQ(get({0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0}, 8)[5], 1);
  const Bytes features = get({0x46, 2, 0, 1, 0, 0, 0, 0, 20, 0}, 20);
  EXPECT_EQ(hw::get_be(features, 6, 2), 0x0008u);
  EXPECT_EQ(hw::get_be(features, 12, 4), 1u);
}

TEST_F(ScsiCd, ModePagesHaveNoBlockDescriptor) {
  use_cd();
  const Bytes page = get({0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 64, 0}, 64);
  EXPECT_EQ(page.size(), 30u);
  EXPECT_EQ(page[7], 0);
  EXPECT_EQ(page[8], 0x2a);
  EXPECT_EQ(get({0x1a, 0, 0x01, 0, 64, 0}, 64).size(), 12u);
  EXPECT_TRUE(put({0x55, 0x10, 0, 0, 0, 0, 0, 0, 16, 0},
                  {0, 0, 0, 0, 0, 0, 0, 0, 0x01, 6, 0, 9, 0, 0, 0, 0})
                  .good());
  EXPECT_EQ(get({0x1a, 0, 0x01, 0, 64, 0}, 64)[7], 9);
}

TEST_F(ScsiCd, AnEmptyDriveIsNotReady) {
  use_host();
  bench.add("scsi-cd");
  begin();
  hear();
  EXPECT_EQ(sense_of({0x00}), 0x23a01u);
  EXPECT_EQ(sense_of(ten(0x28, 0, 1), 0, 2048), 0x23a01u);
  EXPECT_EQ(media_event(), (std::pair<u8, u8>{0, 0}));
}

TEST_F(ScsiCd, ADriverMovesTheTray) {
  use_cd();
  EXPECT_TRUE(run({0x1b, 0, 0, 0, 2, 0}).good());
  EXPECT_EQ(sense_of({0x00}), 0x23a02u);
  EXPECT_EQ(media_event(), (std::pair<u8, u8>{3, 1}));
  EXPECT_TRUE(run({0x1b, 0, 0, 0, 3, 0}).good());
  EXPECT_EQ(sense_of({0x00}), 0x62800u);
  EXPECT_TRUE(run({0x00}).good());
}

TEST_F(ScsiCd, ALockedTrayStaysClosed) {
  use_cd();
  EXPECT_TRUE(run({0x1e, 0, 0, 0, 1, 0}).good());
  EXPECT_EQ(sense_of({0x1b, 0, 0, 0, 2, 0}), 0x55302u);
  EXPECT_EQ(block::open_tray(cd(), "cd0", false).value(), block::TrayAnswer::Locked);
  EXPECT_EQ(media_event(), (std::pair<u8, u8>{1, 2}));
  EXPECT_EQ(block::open_tray(cd(), "cd0", true).value(), block::TrayAnswer::Open);
  EXPECT_EQ(sense_of({0x00}), 0x23a02u);
}

TEST_F(ScsiCd, ANewDiscIsTold) {
  use_cd();
  ASSERT_TRUE(block::open_tray(cd(), "cd0", false));
  ASSERT_TRUE(block::remove_medium(cd(), "cd0"));
  ASSERT_TRUE(block::close_tray(cd(), "cd0"));
  EXPECT_EQ(sense_of({0x00}), 0x23a01u);
  insert("cd0", u64{100} * 2048, true);
  EXPECT_EQ(sense_of({0x00}), 0x62800u);
  EXPECT_EQ(hw::get_be(get({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 8), 0, 4), 99u);
}

TEST_F(ScsiCd, ATrayOpensWhileItReads) {
  use_cd();
  gates["cd0"]->close();
  ask(ten(0x28, 3, 1), 0, 2048);
  ASSERT_TRUE(block::open_tray(cd(), "cd0", false));
  gates["cd0"]->open();
  ASSERT_TRUE(answer());
  EXPECT_EQ(sense_of({0x00}), 0x23a02u);
}

TEST_F(ScsiCd, ARemovableDiskHasATrayAsWell) {
  use_host();
  add_disk("disk0", {{"removable", "on"}});
  begin();
  hear();
  EXPECT_EQ(get({0x12, 0, 0, 0, 36, 0}, 36)[1], 0x80);
  ASSERT_TRUE(block::open_tray(backend(), "disk0", false));
  EXPECT_EQ(sense_of({0x00}), 0x23a02u);
}

}  // namespace
}  // namespace rhea::test
