// SPDX-License-Identifier: GPL-2.0-or-later
// Resets of every kind, at rest and in the middle of things; snapshots in the middle of transfers.
#include "tests/storage/ata_fixture.h"

namespace rhea::test {
namespace {

using Host = IdeHost;

class IdeReset : public Ata {
 protected:
  void expect_disk_signature() {
    EXPECT_EQ(host.reg(1), 0x01);
    EXPECT_EQ(host.reg(2), 0x01);
    EXPECT_EQ(host.reg(3), 0x01);
    EXPECT_EQ(host.reg(4), 0x00);
    EXPECT_EQ(host.reg(5), 0x00);
    EXPECT_EQ(host.status(), kReady);
  }
  // Not waited for.
  void begin(u8 command, u32 lba, u8 count = 1) {
    host.set_lba28(lba, count);
    host.set_reg(7, command);
  }
  void soft_reset() {
    host.control(0x04);
    host.control(0x00);
  }
  void let_everything_finish() {
    gate->open();
    drive().drain();
    for (int turn = 0; turn < 10; ++turn) bench.machine().loop().iterate(false);
  }
};

TEST_F(IdeReset, PowerOnShowsTheSignature) { expect_disk_signature(); }

TEST_F(IdeReset, SoftResetShowsTheSignature) {
  host.set_lba28(1234567, 9);
  host.control(0x04);
  EXPECT_EQ(host.alternate_status(), Host::kBusy);
  host.control(0x00);
  expect_disk_signature();
  EXPECT_FALSE(host.irq());
}

TEST_F(IdeReset, CommandsDuringSoftResetAreLost) {
  host.control(0x04);
  host.set_reg(7, 0xec);
  host.control(0x00);
  EXPECT_EQ(host.alternate_status(), kReady);
}

// The controller is reset before its drives.
TEST_F(IdeReset, AMachineResetIsNoInterrupt) {
  host.control(0x02);
  host.select(0);
  host.command(0xec);
  const unsigned edges = bench.irq_edges(14);
  bench.reset();
  bench.config_write(Host::kDevfn, pci::kBar0 + 16, Host::kMaster, 4);
  bench.config_write(Host::kDevfn, pci::kCommand, pci::kCommandIo, 2);
  EXPECT_EQ(bench.irq_edges(14), edges);
  EXPECT_EQ(host.master_status(), 0x00);
}

TEST_F(IdeReset, SoftResetSelectsDevice0) {
  bench.add("ide-cd", {{"unit", "1"}}, "ide.0");
  host.select(1);
  EXPECT_EQ(host.reg(4), 0x14);
  soft_reset();
  EXPECT_EQ(host.reg(4), 0x00);
}

TEST_F(IdeReset, DiagnosticIsForBothDevicesAndDevice0Answers) {
  bench.add("ide-cd", {{"unit", "1"}}, "ide.0");
  host.select(1);
  host.set_reg(7, 0x90);
  EXPECT_TRUE(host.irq());
  expect_disk_signature();
  host.select(1);
  EXPECT_EQ(host.reg(5), 0xeb);
  EXPECT_EQ(host.reg(1), 0x01);
}

TEST_F(IdeReset, DeviceResetFreesABusyPacketDevice) {
  bench.add("ide-cd", {{"unit", "1"}}, "ide.0");
  host.select(1);
  host.command(0xa0);
  EXPECT_NE(host.alternate_status() & Host::kDrq, 0);
  host.set_reg(7, 0x08);
  EXPECT_EQ(host.status(), 0);
  EXPECT_EQ(host.reg(4), 0x14);
  EXPECT_EQ(host.reg(6) & 0x10, 0x10);
}

TEST_F(IdeReset, AReadUnderWayIsForgotten) {
  gate->close();
  host.set_lba28(5, 1);
  host.set_reg(7, 0x20);
  EXPECT_EQ(host.alternate_status(), Host::kBusy);
  soft_reset();
  let_everything_finish();
  expect_disk_signature();
  EXPECT_FALSE(host.irq());
}

TEST_F(IdeReset, AMachineThatHasReadItsDiskIsSavedAndLoaded) {
  host.set_lba28(5, 1);
  host.command(0x20);
  for (int i = 0; i < 256; ++i) bench.inw(0x1f0);
  EXPECT_EQ(host.status(), kReady);
  const auto loaded = bench.load(bench.save());
  EXPECT_TRUE(loaded) << loaded.error().message();
}

TEST_F(IdeReset, AMachineResetForgetsADmaReadUnderWay) {
  host.set_table(0x1000, {{0x10000, 512}});
  gate->close();
  host.set_lba28(5, 1);
  host.set_reg(7, 0xc8);
  host.start_master(true);
  bench.reset();
  let_everything_finish();
  EXPECT_EQ(bench.read(0x10000, 512), std::vector<u8>(512));
  EXPECT_EQ(host.alternate_status(), kReady);
}

TEST_F(IdeReset, AWriteUnderWayStillReachesTheDisk) {
  gate->close();
  host.set_lba28(5, 1);
  host.command(0x30);
  for (int i = 0; i < 256; ++i) bench.outw(0x1f0, 0x4242);
  soft_reset();
  let_everything_finish();
  EXPECT_EQ(image(5, 1), std::vector<u8>(512, 0x42));
  EXPECT_EQ(host.status(), kReady);
}

TEST_F(IdeReset, ANewCommandAfterAResetIsNotAnsweredByTheOldOne) {
  gate->close();
  begin(0x20, 5);
  soft_reset();
  begin(0x20, 9);
  gate->open();
  EXPECT_EQ(host.read_data(512), image(9, 1));
  EXPECT_EQ(host.status(), kReady);
}

TEST_F(IdeReset, ForgottenReadsLeaveNothingBehind) {
  gate->close();
  for (int i = 0; i < 200; ++i) {
    begin(0xc8, 0, 0);
    soft_reset();
  }
  EXPECT_LE(drive().in_flight(), 1U);
}

TEST_F(IdeReset, ReadsThatNobodyFetchedLeaveNothingBehind) {
  for (int i = 0; i < 200; ++i) {
    begin(0xc8, 0, 0);
    soft_reset();
  }
  EXPECT_LE(drive().in_flight(), 1U);
}

TEST_F(IdeReset, ForgottenWritesDoNotPileUp) {
  gate->close();
  for (int i = 0; i < 50; ++i) {
    host.set_lba28(5, 1);
    host.command(0x30);
    for (int word = 0; word < 256; ++word) bench.outw(0x1f0, static_cast<u16>(0x101 * i));
    soft_reset();
  }
  EXPECT_LE(drive().in_flight(), 1U);
  let_everything_finish();
  EXPECT_EQ(image(5, 1), std::vector<u8>(512, 0));
}

TEST_F(IdeReset, ARequestAfterForgottenOnesIsDone) {
  gate->close();
  begin(0x20, 5);
  soft_reset();
  begin(0x20, 6);
  soft_reset();
  begin(0x20, 9);
  gate->open();
  EXPECT_EQ(host.settle(), kReady | Host::kDrq);
  EXPECT_EQ(host.read_data(512), image(9, 1));
}

TEST_F(IdeReset, UnpluggingWithARequestUnderWayIsSafe) {
  Device& second = [this]() -> Device& {
    auto node = std::make_unique<GateNode>(1 * MiB);
    gate = node->gate();
    bench.machine()
        .container("/drives")
        .add_child("d1", create<BlockBackend>())
        .insert(std::move(node));
    return bench.add("ide-hd", {{"drive", "d1"}, {"unit", "1"}}, "ide.0");
  }();
  gate->close();
  host.set_lba28(0, 1, 1);
  host.set_reg(7, 0x20);
  ASSERT_TRUE(bench.machine().unplug(second));
  let_everything_finish();
  EXPECT_EQ(host.status(), 0);
}

// ---- Snapshots

TEST_F(IdeReset, ASnapshotInTheMiddleOfAPioReadGoesOn) {
  host.set_lba28(5, 3);
  host.command(0x20);
  host.read_data(700);
  const auto saved = bench.save();
  const auto rest = host.read_data(3 * 512 - 700);
  bench.reset(ResetKind::Cold);
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(host.read_data(3 * 512 - 700), rest);
  EXPECT_EQ(host.status(), kReady);
}

TEST_F(IdeReset, ASnapshotInTheMiddleOfAPioWriteGoesOn) {
  host.set_lba28(5, 2);
  host.command(0x30);
  host.write_data(std::vector<u8>(600, 1));
  const auto saved = bench.save();
  bench.reset(ResetKind::Cold);
  ASSERT_TRUE(bench.load(saved));
  host.write_data(std::vector<u8>(424, 2));
  EXPECT_EQ(host.settle(), kReady);
  std::vector<u8> expected(600, 1);
  expected.resize(1024, 2);
  EXPECT_EQ(image(5, 2), expected);
}

TEST_F(IdeReset, ASnapshotOfADiskThatWaitsForTheMasterGoesOn) {
  host.set_table(0x1000, {{0x10000, 512}});
  host.set_lba28(7, 1);
  host.set_reg(7, 0xc8);
  drive().drain();
  const auto saved = bench.save();
  bench.reset(ResetKind::Cold);
  ASSERT_TRUE(bench.load(saved));
  host.start_master(true);
  EXPECT_TRUE(host.irq());
  EXPECT_EQ(bench.read(0x10000, 512), image(7, 1));
}

TEST_F(IdeReset, SavingFinishesTheRequestUnderWay) {
  gate->close();
  host.set_lba28(5, 1);
  host.set_reg(7, 0x20);
  gate->open_after(20);
  const auto saved = bench.save();
  bench.reset(ResetKind::Cold);
  ASSERT_TRUE(bench.load(saved));
  EXPECT_TRUE(host.irq());
  EXPECT_EQ(host.alternate_status(), kReady | Host::kDrq);
  EXPECT_EQ(host.read_data(512), image(5, 1));
}

TEST_F(IdeReset, LoadingRestoresThePendingInterrupt) {
  simple(0x10);
  const auto saved = bench.save();
  host.status();
  EXPECT_FALSE(host.irq());
  ASSERT_TRUE(bench.load(saved));
  EXPECT_TRUE(host.irq());
}

TEST_F(IdeReset, LoadingRestoresSelectionAndTranslation) {
  host.set_reg(6, 0xa0 | 7);
  host.set_reg(2, 17);
  host.command(0x91);
  host.select(1);
  const auto saved = bench.save();
  bench.reset(ResetKind::Cold);
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(host.status(), 0);
  EXPECT_EQ(word(identify(), 55), 8);
}

}  // namespace
}  // namespace rhea::test
