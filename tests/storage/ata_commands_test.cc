// SPDX-License-Identifier: GPL-2.0-or-later
// ATA disks: identification, features, power, SMART, buffers; the registers themselves.
#include "tests/storage/ata_fixture.h"

#include <numeric>

namespace rhea::test {
namespace {

using Host = IdeHost;
using AtaCommands = Ata;

std::string text(const std::vector<u8>& id, unsigned first, unsigned count) {
  std::string result;
  for (unsigned i = first; i < first + count; ++i) {
    result += static_cast<char>(id[2 * i + 1]);
    result += static_cast<char>(id[2 * i]);
  }
  return result.substr(0, result.find_last_not_of(' ') + 1);
}

unsigned sum(const std::vector<u8>& data) {
  return std::accumulate(data.begin(), data.end(), 0U) & 0xff;
}

TEST_F(AtaCommands, IdentifyDescribesTheDisk) {
  const auto id = identify();
  EXPECT_EQ(word(id, 0), 0x0040);
  EXPECT_EQ(text(id, 27, 20), "QEMU HARDDISK");
  EXPECT_EQ(text(id, 10, 10), "QM00001");
  EXPECT_EQ(word(id, 60) | word(id, 61) << 16, kSectors);
  EXPECT_EQ(word(id, 100) | word(id, 101) << 16, kSectors);
  EXPECT_EQ(word(id, 3), 16);
  EXPECT_EQ(word(id, 6), 63);
  EXPECT_EQ(word(id, 49) & 0x0300, 0x0300);  // LBA, DMA
  EXPECT_EQ(word(id, 83) & 0x0400, 0x0400);  // 48-bit addresses
  EXPECT_EQ(sum(id), 0U);
  EXPECT_EQ(host.status(), kReady);
}

TEST(AtaIdentity, PropertiesShowInIdentify) {
  Bench bench;
  Host::add_controller(bench);
  make_fake_disk(bench, "d", 64 * MiB);
  bench.add("ide-hd",
            {{"drive", "d"},
             {"serial", "SER1"},
             {"model", "My Disk"},
             {"ver", "9.1"},
             {"wwn", "0x5000c50012345678"},
             {"cyls", "100"},
             {"heads", "8"},
             {"secs", "32"},
             {"physical_block_size", "4096"}},
            "ide.1");
  Host host(bench, 1);
  host.select(0);
  host.command(0xec);
  const auto id = host.read_data(512);
  EXPECT_EQ(text(id, 10, 10), "SER1");
  EXPECT_EQ(text(id, 27, 20), "My Disk");
  EXPECT_EQ(text(id, 23, 4), "9.1");
  EXPECT_EQ(word(id, 108), 0x5000);
  EXPECT_EQ(word(id, 111), 0x5678);
  EXPECT_EQ(word(id, 1), 100);
  EXPECT_EQ(word(id, 106), 0x6003);
}

TEST_F(AtaCommands, FeaturesShowInIdentify) {
  EXPECT_EQ(simple(0xef, 0x03, 0x44), kReady);  // ultra DMA 4
  EXPECT_EQ(word(identify(), 88), 0x103f);
  EXPECT_EQ(simple(0xef, 0x03, 0x21), kReady);  // multiword DMA 1
  EXPECT_EQ(word(identify(), 63), 0x0207);
  EXPECT_EQ(word(identify(), 88), 0x003f);
  EXPECT_EQ(simple(0xef, 0x82), kReady);  // write cache off
  EXPECT_EQ(word(identify(), 85) & 0x20, 0);
  EXPECT_EQ(simple(0xef, 0x02), kReady);
  EXPECT_EQ(word(identify(), 85) & 0x20, 0x20);
}

TEST_F(AtaCommands, UnknownFeaturesAndModesAbort) {
  EXPECT_EQ(simple(0xef, 0x03, 0x47), kFailed);
  EXPECT_EQ(simple(0xef, 0x99), kFailed);
  EXPECT_EQ(host.reg(1), kAbort);
}

TEST_F(AtaCommands, UnknownCommandsAndNopAbort) {
  EXPECT_EQ(simple(0x00), kFailed);
  EXPECT_EQ(simple(0xa0), kFailed);  // PACKET
  EXPECT_EQ(simple(0xa1), kFailed);
  EXPECT_EQ(simple(0x08), kFailed);  // DEVICE RESET is for packet devices
  EXPECT_EQ(host.reg(1), kAbort);
}

TEST_F(AtaCommands, FlushWaitsForTheDisk) {
  gate->close();
  host.select(0);
  host.set_reg(7, 0xe7);
  EXPECT_EQ(host.alternate_status(), Host::kBusy);
  EXPECT_FALSE(host.irq());
  gate->open();
  EXPECT_EQ(host.settle(), kReady);
  EXPECT_TRUE(host.irq());
  EXPECT_EQ(drive().statistics().flushes, 1U);
}

// ---- Writes that must reach the disk

TEST_F(AtaCommands, WithTheWriteCacheOffEachWriteIsFlushed) {
  host.set_lba28(5, 1);
  host.command(0x30);
  host.write_data(std::vector<u8>(512, 1));
  EXPECT_EQ(host.settle(), kReady);
  EXPECT_EQ(gate->flushes, 0U);
  EXPECT_EQ(simple(0xef, 0x82), kReady);
  const unsigned before = gate->flushes;
  host.set_lba28(5, 1);
  host.command(0x30);
  host.write_data(std::vector<u8>(512, 2));
  EXPECT_EQ(host.settle(), kReady);
  EXPECT_EQ(gate->flushes, before + 1);
  EXPECT_EQ(image(5, 1), std::vector<u8>(512, 2));
}

TEST_F(AtaCommands, ForcedUnitAccessIsFlushed) {
  host.set_lba48(5, 1);
  host.command(0xce);
  host.write_data(std::vector<u8>(512, 3));
  EXPECT_EQ(host.settle(), kReady);
  EXPECT_EQ(gate->flushes, 1U);
}

TEST_F(AtaCommands, TheDrivesCacheModeIsTheDisksWriteCache) {
  EXPECT_NE(word(identify(), 85) & 0x20, 0);
  gate->writeback = false;
  bench.reset();
  EXPECT_EQ(word(identify(), 85) & 0x20, 0);
}

TEST_F(AtaCommands, ItsWriteCacheCanBeNamed) {
  make_fake_disk(bench, "d1", 1 * MiB);
  bench.add("ide-hd", {{"drive", "d1"}, {"unit", "1"}, {"write-cache", "off"}}, "ide.0");
  host.select(1);
  host.command(0xec);
  EXPECT_EQ(word(host.read_data(512), 85) & 0x20, 0);
}

// ---- TRIM

class Trim : public AtaCommands {
 protected:
  static u64 range(u64 lba, u64 count) { return lba | count << 48; }
  u8 trim(const std::vector<u64>& ranges, u16 blocks = 1) {
    for (std::size_t i = 0; i < 64U * blocks; ++i)
      bench.store(0x10000 + 8 * i, i < ranges.size() ? ranges[i] : 0, 8);
    host.set_table(0x1000, {{0x10000, 512U * blocks}});
    host.select(0);
    host.set_lba48(0, blocks);
    host.set_reg(1, 1);
    host.set_reg(7, 0x06);
    host.start_master(false);
    host.wait_irq();
    host.stop_master();
    return host.status();
  }
};

TEST_F(Trim, IsOffered) { EXPECT_EQ(word(identify(), 169), 1); }

TEST_F(Trim, DiscardsEveryRange) {
  EXPECT_EQ(trim({range(5, 2), 0, range(100, 300)}), kReady);
  EXPECT_EQ(image(5, 2), std::vector<u8>(1024));
  EXPECT_EQ(image(100, 300), std::vector<u8>(300 * 512));
  EXPECT_NE(image(7, 1), std::vector<u8>(512));
  EXPECT_NE(image(99, 1), std::vector<u8>(512));
  EXPECT_EQ(drive().statistics().discarded_bytes, 302U * 512);
}

TEST_F(Trim, ARangeBeyondTheEndAborts) {
  EXPECT_EQ(trim({range(kSectors - 1, 2)}), kFailed);
  EXPECT_EQ(host.reg(1), kAbort | kNotFound);
}

TEST_F(Trim, AFailedDiscardAborts) {
  gate->break_at(5 * 512);
  EXPECT_EQ(trim({range(5, 1)}), kFailed);
  EXPECT_EQ(host.reg(1), kAbort);
}

TEST_F(Trim, NothingAndOtherFunctionsAbort) {
  host.set_lba48(0, 0);
  host.set_reg(1, 1);
  EXPECT_EQ(host.command(0x06), kFailed);
  host.set_lba48(0, 1);
  host.set_reg(1, 2);
  EXPECT_EQ(host.command(0x06), kFailed);
}

TEST_F(AtaCommands, PowerModesAreTold) {
  EXPECT_EQ(simple(0xe0), kReady);  // STANDBY IMMEDIATE
  EXPECT_EQ(simple(0xe5), kReady);
  EXPECT_EQ(host.reg(2), 0x00);
  EXPECT_EQ(simple(0xe1), kReady);  // IDLE IMMEDIATE
  EXPECT_EQ(simple(0xe5), kReady);
  EXPECT_EQ(host.reg(2), 0xff);
}

TEST_F(AtaCommands, TheBufferKeepsWhatWasWritten) {
  host.select(0);
  EXPECT_EQ(host.command(0xe8), kReady | Host::kDrq);
  std::vector<u8> data(512);
  std::iota(data.begin(), data.end(), u8{1});
  host.write_data(data);
  EXPECT_EQ(host.settle(), kReady);
  host.command(0xe4);
  EXPECT_EQ(host.read_data(512), data);
}

TEST_F(AtaCommands, SmartTellsThatAllIsWell) {
  host.select(0);
  host.set_reg(1, 0xda);
  host.set_reg(4, 0x4f);
  host.set_reg(5, 0xc2);
  EXPECT_EQ(host.command(0xb0), kReady);
  EXPECT_EQ(host.reg(4), 0x4f);
  EXPECT_EQ(host.reg(5), 0xc2);
  host.set_reg(1, 0xd0);
  host.command(0xb0);
  EXPECT_EQ(sum(host.read_data(512)), 0U);
}

TEST_F(AtaCommands, SmartWithoutItsKeyAborts) {
  host.select(0);
  host.set_reg(1, 0xda);
  host.set_reg(4, 0);
  EXPECT_EQ(host.command(0xb0), kFailed);
}

TEST_F(AtaCommands, SmartCanBeSwitchedOff) {
  const auto smart = [this](u8 function) {
    host.select(0);
    host.set_reg(1, function);
    host.set_reg(4, 0x4f);
    host.set_reg(5, 0xc2);
    return host.command(0xb0);
  };
  EXPECT_EQ(smart(0xd9), kReady);
  EXPECT_EQ(smart(0xd0), kFailed);
  EXPECT_EQ(smart(0xd8), kReady);
  EXPECT_EQ(word(identify(), 85) & 1, 1);
}

TEST_F(AtaCommands, SeekAndRecalibrateSucceed) {
  host.set_lba28(100, 0);
  EXPECT_EQ(host.command(0x70), kReady);
  EXPECT_EQ(simple(0x10), kReady);
  host.set_lba28(kSectors, 0);
  EXPECT_EQ(host.command(0x70), kFailed);
}

// ---- Registers

TEST_F(AtaCommands, RegistersKeepWhatIsWritten) {
  host.select(0);
  host.set_reg(2, 0x55);
  host.set_reg(3, 0xaa);
  EXPECT_EQ(host.reg(2), 0x55);
  EXPECT_EQ(host.reg(3), 0xaa);
  EXPECT_EQ(host.reg(6), 0xe0);
}

TEST_F(AtaCommands, HobShowsThePreviousContents) {
  host.select(0);
  host.set_reg(2, 0x11);
  host.set_reg(2, 0x22);
  EXPECT_EQ(host.reg(2), 0x22);
  host.control(0x80);
  EXPECT_EQ(host.reg(2), 0x11);
  host.set_reg(3, 0);  // any write of the command block clears it
  EXPECT_EQ(host.reg(2), 0x22);
}

TEST_F(AtaCommands, AnAbsentSlaveReadsAsZeroes) {
  host.select(1);
  EXPECT_EQ(host.status(), 0);
  EXPECT_EQ(host.reg(6), 0);
  host.set_reg(7, 0xec);
  EXPECT_EQ(host.status(), 0);
  host.select(0);
  EXPECT_EQ(host.status(), kReady);
}

TEST_F(AtaCommands, AnEmptyChannelReadsAsZeroes) {
  Host secondary(bench, 1);
  EXPECT_EQ(secondary.status(), 0);
  EXPECT_EQ(secondary.alternate_status(), 0);
}

TEST_F(AtaCommands, TheAlternateStatusKeepsTheInterrupt) {
  simple(0x10);
  EXPECT_TRUE(host.irq());
  host.alternate_status();
  EXPECT_TRUE(host.irq());
  host.status();
  EXPECT_FALSE(host.irq());
}

TEST_F(AtaCommands, NienHoldsTheInterruptBack) {
  host.control(0x02);
  simple(0x10);
  EXPECT_FALSE(host.irq());
  host.control(0x00);
  EXPECT_TRUE(host.irq());
}

TEST_F(AtaCommands, ACommandTakesTheOldInterruptAway) {
  simple(0x10);
  EXPECT_TRUE(host.irq());
  gate->close();
  host.set_reg(7, 0xe7);
  EXPECT_FALSE(host.irq());
}

TEST_F(AtaCommands, ABusyDeviceIgnoresItsRegisters) {
  host.select(0);
  host.set_reg(2, 0x12);
  gate->close();
  host.set_reg(7, 0xe7);
  host.set_reg(2, 0x34);
  host.set_reg(7, 0x10);
  gate->open();
  host.settle();
  EXPECT_EQ(host.reg(2), 0x12);
}

TEST_F(AtaCommands, TheDataRegisterIsDeadWithoutATransfer) {
  EXPECT_EQ(bench.inw(0x1f0), 0);
  bench.outw(0x1f0, 0xffff);
  EXPECT_EQ(host.status(), kReady);
}

TEST_F(AtaCommands, TwoDisksOnACableAreApart) {
  auto second = make_fake_disk(bench, "d1", 4 * MiB);
  second->at(512) = 0x99;
  bench.add("ide-hd", {{"drive", "d1"}, {"unit", "1"}}, "ide.0");
  host.set_lba28(1, 1, 1);
  host.command(0x20);
  EXPECT_EQ(host.read_data(512)[0], 0x99);
  host.set_lba28(1, 1, 0);
  host.command(0x20);
  EXPECT_EQ(host.read_data(512), image(1, 1));
}

// ---- Being put together

TEST(AtaRealize, WhatIsWrongIsNamed) {
  Bench bench;
  Host::add_controller(bench);
  const auto error = [&bench](const Properties& properties) {
    const auto result = bench.try_add("ide-hd", properties, "ide.0");
    return result ? "ok" : result.error().message();
  };
  EXPECT_EQ(error({}), "Device 'ide-hd': No drive specified");
  EXPECT_EQ(error({{"drive", "none"}}), "Property 'ide-hd.drive': 'none' not found");
  bench.machine().container("/drives").add_child("empty", create<BlockBackend>());
  EXPECT_EQ(error({{"drive", "empty"}}), "Device 'ide-hd' needs media, but drive 'empty' is empty");
  make_fake_disk(bench, "small", 511);
  EXPECT_EQ(error({{"drive", "small"}}),
            "Device 'ide-hd': drive 'small' ('memory') has no sectors");
  make_fake_disk(bench, "d", MiB);
  EXPECT_EQ(error({{"drive", "d"}, {"unit", "2"}}),
            "Can't create IDE unit 2, bus supports only 2 units");
  EXPECT_EQ(error({{"drive", "d"}, {"heads", "4"}}),
            "Properties 'cyls', 'heads' and 'secs' must be given together");
  EXPECT_EQ(error({{"drive", "d"}, {"serial", "123456789012345678901"}}),
            "Property 'serial': '123456789012345678901' is longer than 20 characters");
  EXPECT_EQ(error({{"drive", "d"}, {"unit", "0"}}), "ok");
  EXPECT_EQ(error({{"drive", "d"}, {"unit", "1"}}),
            "Drive 'd' is already in use by another device");
  make_fake_disk(bench, "e", MiB);
  EXPECT_EQ(error({{"drive", "e"}, {"unit", "0"}}), "IDE unit 0 is in use");
}

}  // namespace
}  // namespace rhea::test
