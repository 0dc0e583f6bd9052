// SPDX-License-Identifier: GPL-2.0-or-later
// ATA disks through the registers: PIO, addressing, the general commands.
#include "tests/storage/ide_host.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using Host = IdeHost;

class Ata : public testing::Test {
 protected:
  Ata() {
    Host::add_controller(bench);
    disk = make_fake_disk(bench, "d0", 8 * MiB);
    fill_pattern(*disk);
    bench.add("ide-hd", {{"drive", "d0"}, {"unit", "0"}}, "ide.0");
  }
  std::vector<u8> image(u64 lba, u64 sectors) const {
    const auto first = disk->begin() + static_cast<std::ptrdiff_t>(lba * 512);
    return {first, first + static_cast<std::ptrdiff_t>(sectors * 512)};
  }
  Bench bench;
  std::shared_ptr<std::vector<u8>> disk;
  Host host{bench};
};

TEST_F(Ata, IdentifyNamesTheDiskAndItsSize) {
  host.select(0);
  EXPECT_EQ(host.command(0xec), Host::kReady | Host::kSeekComplete | Host::kDrq);
  const auto id = host.read_data(512);
  EXPECT_EQ(word(id, 0), 0x0040);
  EXPECT_EQ(word(id, 60) | word(id, 61) << 16, 8 * 2048);
  EXPECT_EQ(std::string(id.begin() + 54, id.begin() + 54 + 14), "EQUMH RADDSI K");
}

TEST_F(Ata, ReadSectorsGivesTheImage) {
  host.set_lba28(5, 3);
  host.command(0x20);
  EXPECT_EQ(host.read_data(3 * 512), image(5, 3));
  EXPECT_EQ(host.status(), Host::kReady | Host::kSeekComplete);
}

TEST_F(Ata, WriteSectorsReachesTheImage) {
  host.set_lba28(9, 2);
  host.command(0x30);
  host.write_data(std::vector<u8>(1024, 0xa5));
  EXPECT_EQ(host.settle(), Host::kReady | Host::kSeekComplete);
  EXPECT_TRUE(host.irq());
  EXPECT_EQ(image(9, 2), std::vector<u8>(1024, 0xa5));
}

TEST_F(Ata, DmaReadFillsMemory) {
  host.set_table(0x1000, {{0x10000, 1024}});
  host.set_lba28(7, 2);
  host.set_reg(7, 0xc8);
  host.start_master(true);
  EXPECT_TRUE(host.wait_irq());
  EXPECT_EQ(bench.read(0x10000, 1024), image(7, 2));
  EXPECT_EQ(host.master_status() & 7, 4);
}

}  // namespace
}  // namespace rhea::test
