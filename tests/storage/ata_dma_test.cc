// SPDX-License-Identifier: GPL-2.0-or-later
// Bus-master DMA: descriptors, how transfers end, how they fail.
#include "tests/storage/ata_fixture.h"

namespace rhea::test {
namespace {

using Host = IdeHost;

// Bits of the bus master's status.
constexpr u8 kActive = 1, kMasterError = 2, kInterrupt = 4;

class AtaDma : public Ata {
 protected:
  u8 read(u32 lba, u16 count) {
    host.set_lba48(lba, count);
    host.set_reg(7, 0x25);
    host.start_master(true);
    return finish();
  }
  u8 write(u32 lba, u16 count) {
    host.set_lba48(lba, count);
    host.set_reg(7, 0x35);
    host.start_master(false);
    return finish();
  }
  // Waits until the disk is through or gave up; the bus master's low status bits.
  u8 finish() {
    bench.run_until([this] { return drive().in_flight() == 0; });
    return host.master_status() & 7;
  }
};

TEST_F(AtaDma, OneDescriptorTakesTheWholeRead) {
  host.set_table(0x1000, {{0x10000, 4096}});
  EXPECT_EQ(read(7, 8), kInterrupt);
  EXPECT_EQ(bench.read(0x10000, 4096), image(7, 8));
  EXPECT_TRUE(host.irq());
  EXPECT_EQ(host.status(), kReady);
}

TEST_F(AtaDma, AReadIsScattered) {
  host.set_table(0x1000, {{0x10000, 100, false}, {0x20000, 1000, false}, {0x30000, 436}});
  EXPECT_EQ(read(7, 3), kInterrupt);
  const auto expected = image(7, 3);
  EXPECT_EQ(bench.read(0x10000, 100), std::vector<u8>(expected.begin(), expected.begin() + 100));
  EXPECT_EQ(bench.read(0x20000, 1000),
            std::vector<u8>(expected.begin() + 100, expected.begin() + 1100));
  EXPECT_EQ(bench.read(0x30000, 436), std::vector<u8>(expected.begin() + 1100, expected.end()));
}

TEST_F(AtaDma, ALengthOfZeroIs64Kilobytes) {
  host.set_table(0x1000, {{0x100000, 0x10000, false}, {0x200000, 0x10000}});
  EXPECT_EQ(read(0, 256), kInterrupt);
  EXPECT_EQ(bench.read(0x100000, 0x10000), image(0, 128));
  EXPECT_EQ(bench.read(0x200000, 0x10000), image(128, 128));
}

TEST_F(AtaDma, ATransferLongerThanTheBufferGoesOn) {
  std::vector<Host::Descriptor> table;
  for (u32 i = 0; i < 8; ++i) table.push_back({0x100000 + i * 0x10000, 0x10000, i == 7});
  host.set_table(0x1000, table);
  EXPECT_EQ(read(5, 1024), kInterrupt);
  EXPECT_EQ(bench.read(0x100000, 0x80000), image(5, 1024));
}

TEST_F(AtaDma, AWriteIsGathered) {
  bench.write(0x10000, std::vector<u8>(300, 1));
  bench.write(0x20000, std::vector<u8>(212, 2));
  host.set_table(0x1000, {{0x10000, 300, false}, {0x20000, 212}});
  EXPECT_EQ(write(30, 1), kInterrupt);
  std::vector<u8> expected(300, 1);
  expected.resize(512, 2);
  EXPECT_EQ(image(30, 1), expected);
  EXPECT_TRUE(host.irq());
}

TEST_F(AtaDma, MoreMemoryThanDataLeavesTheMasterActive) {
  host.set_table(0x1000, {{0x10000, 4096}});
  EXPECT_EQ(read(0, 1), kInterrupt | kActive);
  host.stop_master();
  EXPECT_EQ(host.master_status() & kActive, 0);
}

TEST_F(AtaDma, WithLessMemoryThanDataTheDiskGoesOnWaiting) {
  host.set_table(0x1000, {{0x10000, 512}});
  EXPECT_EQ(read(0, 4), 0);
  EXPECT_FALSE(host.irq());
  EXPECT_EQ(host.alternate_status(), kReady | Host::kDrq);
  EXPECT_EQ(bench.read(0x10000, 512), image(0, 1));
  host.control(0x04);
  host.control(0x00);
  EXPECT_EQ(host.status(), kReady);
}

TEST_F(AtaDma, WithMoreMemoryTheDiskGoesOnWhereItWaited) {
  host.set_table(0x1000, {{0x10000, 512}});
  read(0, 4);
  host.stop_master();
  host.set_table(0x1000, {{0x20000, 1536}});
  host.start_master(true);
  EXPECT_TRUE(host.irq());
  EXPECT_EQ(bench.read(0x20000, 1536), image(1, 3));
  EXPECT_EQ(host.master_status() & 7, kInterrupt);
  EXPECT_EQ(host.status(), kReady);
}

TEST_F(AtaDma, AWriteWithLessMemoryWritesNothingOfIt) {
  const auto before = image(40, 4);
  host.set_table(0x1000, {{0x10000, 512}});
  EXPECT_EQ(write(40, 4), 0);
  EXPECT_EQ(host.alternate_status(), kReady | Host::kDrq);
  EXPECT_EQ(image(40, 4), before);
}

TEST_F(AtaDma, ADiskThatWaitsForMoreMemorySurvivesASnapshot) {
  host.set_table(0x1000, {{0x10000, 512}});
  read(0, 4);
  const auto saved = bench.save();
  bench.reset(ResetKind::Cold);
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(host.alternate_status(), kReady | Host::kDrq);
  host.stop_master();
  host.set_table(0x1000, {{0x20000, 1536}});
  host.start_master(true);
  EXPECT_EQ(bench.read(0x20000, 1536), image(1, 3));
}

TEST_F(AtaDma, ATableThatNeverEndsIsWalkedOnlyAsFarAsThereIsData) {
  for (u32 i = 0; i < 64; ++i) {
    bench.store(0x1000 + 8 * i, 0x10000, 4);
    bench.store(0x1004 + 8 * i, 512, 4);
  }
  bench.outl(static_cast<u16>(host.master() + 4), 0x1000);
  EXPECT_EQ(read(0, 3), kInterrupt | kActive);
}

TEST_F(AtaDma, ATableOfManyTinyPiecesEnds) {
  // 8192 descriptors of two bytes and none with the end mark: more than a table may have.
  for (u32 i = 0; i < 9000; ++i) {
    bench.store(0x100000 + 8 * i, 0x10000, 4);
    bench.store(0x100004 + 8 * i, 2, 4);
  }
  bench.outl(static_cast<u16>(host.master() + 4), 0x100000);
  EXPECT_EQ(read(0, 64), 0);
  EXPECT_FALSE(host.irq());
  EXPECT_EQ(host.alternate_status(), kReady | Host::kDrq);
}

TEST_F(AtaDma, ATableOutsideMemoryIsAnError) {
  bench.outl(static_cast<u16>(host.master() + 4), 0xf0000000);
  EXPECT_EQ(read(0, 1), kMasterError);
  EXPECT_FALSE(host.irq());
  EXPECT_EQ(host.alternate_status(), kReady | Host::kDrq);
}

TEST_F(AtaDma, ABufferOutsideMemoryIsAnError) {
  host.set_table(0x1000, {{0xf0000000, 512}});
  EXPECT_EQ(read(0, 1), kMasterError);
}

TEST_F(AtaDma, AFailedTransferIsStateThatLoads) {
  host.set_table(0x1000, {{0xf0000000, 512}});
  ASSERT_EQ(read(0, 1), kMasterError);
  const auto loaded = bench.load(bench.save());
  EXPECT_TRUE(loaded) << loaded.error().message();
}

TEST_F(AtaDma, WhatDidNotArriveComesWithTheNextTable) {
  host.set_table(0x1000, {{0xf0000000, 512}});
  ASSERT_EQ(read(0, 1), kMasterError);
  host.stop_master();
  host.set_table(0x1000, {{0x10000, 512}});
  host.start_master(true);
  EXPECT_TRUE(host.irq());
  EXPECT_EQ(bench.read(0x10000, 512), image(0, 1));
}

TEST_F(AtaDma, WithoutBusMasteringNothingMoves) {
  bench.config_write(Host::kDevfn, 0x04, 0x01, 2);
  host.set_table(0x1000, {{0x10000, 512}});
  EXPECT_EQ(read(0, 1), kMasterError);
  EXPECT_EQ(bench.read(0x10000, 512), std::vector<u8>(512));
}

TEST_F(AtaDma, TheDeviceWaitsForTheMaster) {
  host.set_table(0x1000, {{0x10000, 512}});
  host.set_lba28(7, 1);
  host.set_reg(7, 0xc8);
  EXPECT_EQ(finish(), 0);
  EXPECT_NE(host.alternate_status() & (Host::kBusy | Host::kDrq), 0);
  EXPECT_FALSE(host.irq());
  host.start_master(true);
  EXPECT_TRUE(host.irq());
  EXPECT_EQ(bench.read(0x10000, 512), image(7, 1));
}

TEST_F(AtaDma, TheMasterWaitsForTheDevice) {
  host.set_table(0x1000, {{0x10000, 512}});
  host.start_master(true);
  EXPECT_EQ(host.master_status() & 7, kActive);
  host.set_lba28(7, 1);
  host.set_reg(7, 0xc8);
  EXPECT_TRUE(host.wait_irq());
  EXPECT_EQ(bench.read(0x10000, 512), image(7, 1));
}

TEST_F(AtaDma, StoppingTheMasterInTheMiddleHoldsTheData) {
  host.set_table(0x1000, {{0x10000, 512}});
  gate->close();
  host.set_lba28(7, 1);
  host.set_reg(7, 0xc8);
  host.start_master(true);
  host.stop_master();
  gate->open();
  EXPECT_EQ(finish(), 0);
  EXPECT_FALSE(host.irq());
  host.start_master(true);
  EXPECT_TRUE(host.irq());
}

TEST_F(AtaDma, StatusBitsAreClearedByWritingOnes) {
  host.set_table(0x1000, {{0x10000, 512}});
  EXPECT_EQ(read(0, 1), kInterrupt);
  bench.outb(static_cast<u16>(host.master() + 2), 0x60 | kInterrupt);
  EXPECT_EQ(host.master_status(), 0x60);
}

TEST_F(AtaDma, TheTableAddressIsAligned) {
  bench.outl(static_cast<u16>(host.master() + 4), 0x12345677);
  EXPECT_EQ(bench.inl(static_cast<u16>(host.master() + 4)), 0x12345674U);
}

TEST_F(AtaDma, AReadErrorIsReported) {
  gate->break_at(0);
  host.set_table(0x1000, {{0x10000, 512}});
  EXPECT_EQ(read(0, 1), kInterrupt | kActive);
  EXPECT_EQ(host.status(), kFailed);
  EXPECT_EQ(host.reg(1), kUncorrectable);
}

TEST_F(AtaDma, TheChannelsAreApart) {
  auto other = make_fake_disk(bench, "d2", MiB);
  other->at(0) = 0x42;
  bench.add("ide-hd", {{"drive", "d2"}}, "ide.1");
  Host secondary(bench, 1);
  secondary.set_table(0x2000, {{0x20000, 512}});
  host.set_table(0x1000, {{0x10000, 512}});
  secondary.set_lba28(0, 1);
  secondary.set_reg(7, 0xc8);
  secondary.start_master(true);
  EXPECT_TRUE(secondary.wait_irq());
  EXPECT_EQ(bench.read(0x20000, 1), std::vector<u8>{0x42});
  EXPECT_FALSE(host.irq());
  EXPECT_EQ(host.master_status() & 7, 0);
}

}  // namespace
}  // namespace rhea::test
