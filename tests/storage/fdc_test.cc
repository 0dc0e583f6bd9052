// SPDX-License-Identifier: GPL-2.0-or-later
// The floppy controller: registers, resets, seeking, settings.
#include "tests/storage/fdc_fixture.h"

namespace rhea::test {
namespace {

using Bytes = std::vector<u8>;
using FdcRegisters = Fdc;

TEST_F(FdcRegisters, IsIdleAfterStarting) {
  EXPECT_EQ(host.main_status(), FdcHost::kIdle);
  EXPECT_FALSE(host.irq());
}

TEST_F(FdcRegisters, HoldsStillInReset) {
  host.set_reg(2, 0x08);
  EXPECT_EQ(host.main_status(), 0);
  host.set_reg(5, 0x10);
  EXPECT_EQ(host.reg(5), 0);
}

TEST_F(FdcRegisters, LeavingResetReportsFourDrives) {
  host.set_reg(2, 0x08);
  host.set_reg(2, 0x0c);
  EXPECT_TRUE(host.irq());
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0xc0, 0}));
  EXPECT_FALSE(host.irq());
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0xc1, 0}));
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0xc2, 0}));
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0xc3, 0}));
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0x80}));
}

TEST_F(FdcRegisters, TheRateRegisterResetsToo) {
  host.set_reg(4, 0x80);
  EXPECT_TRUE(host.irq());
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0xc0, 0}));
}

TEST_F(FdcRegisters, AResetInTheMiddleOfACommandForgetsIt) {
  host.command({0x46, 0, 0});
  EXPECT_EQ(host.main_status(), 0x90);
  host.set_reg(4, 0x80);
  EXPECT_EQ(host.main_status(), FdcHost::kIdle);
}

TEST_F(FdcRegisters, TheGateHoldsInterruptsBack) {
  host.set_reg(2, 0x14);
  host.command({0x07, 0});
  EXPECT_FALSE(host.irq());
  host.set_reg(2, 0x1c);
  EXPECT_TRUE(host.irq());
}

TEST_F(FdcRegisters, OutputAndTapeRegistersReadBack) {
  host.set_reg(2, 0x2d);
  EXPECT_EQ(host.reg(2), 0x2d);
  host.set_reg(3, 0xfe);
  EXPECT_EQ(host.reg(3), 0x02);
}

TEST_F(FdcRegisters, StatusRegistersShowLines) {
  EXPECT_EQ(host.reg(0) & 0x80, 0);
  host.command({0x07, 0});
  EXPECT_EQ(host.reg(0) & 0x80, 0x80);
  EXPECT_EQ(host.reg(1), 0xc1);
}

TEST_F(FdcRegisters, AnUnknownCommandIsInvalid) {
  EXPECT_EQ(host.run({0x1f}), (Bytes{0x80}));
  EXPECT_EQ(host.run({0x00}), (Bytes{0x80}));
  EXPECT_EQ(host.main_status(), FdcHost::kIdle);
}

TEST_F(FdcRegisters, SaysWhatItIs) {
  EXPECT_EQ(host.run({0x10}), (Bytes{0x90}));
  EXPECT_EQ(host.run({0x18}), (Bytes{0x41}));
}

TEST_F(FdcRegisters, NoInterruptPendingIsInvalid) {
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0x80}));
}

// ---- Heads

TEST_F(FdcRegisters, SeekMovesTheHeads) {
  host.command({0x0f, 0x04, 33});
  EXPECT_TRUE(host.irq());
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0x24, 33}));
  EXPECT_EQ(host.run({0x04, 0x00}), (Bytes{0x28}));
}

TEST_F(FdcRegisters, RecalibrateGoesToTrack0) {
  host.seek(33);
  host.command({0x07, 0});
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0x20, 0}));
  EXPECT_EQ(host.run({0x04, 0x04}), (Bytes{0x3c}));
}

TEST_F(FdcRegisters, AResetForgetsWhereTheHeadsAreAndDoesNotMoveThem) {
  host.seek(20);
  host.set_reg(4, 0x80);
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0xc0, 0}));
  host.sense_interrupt();
  host.sense_interrupt();
  host.sense_interrupt();
  EXPECT_EQ(host.run({0x04, 0}), (Bytes{0x28}));
  host.seek(3);
  EXPECT_EQ(host.run({0x4a, 0})[3], 23);
}

TEST_F(FdcRegisters, ARecalibrationFindsTheHeadsAgain) {
  host.seek(20);
  host.set_reg(4, 0x80);
  host.command({0x07, 0});
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0x20, 0}));
  host.seek(3);
  EXPECT_EQ(host.run({0x4a, 0})[3], 3);
}

TEST_F(FdcRegisters, ARecalibrationEndsAfter79Steps) {
  host.seek(82);
  host.command({0x07, 0});
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0x70, 0}));
  host.command({0x07, 0});
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0x20, 0}));
  EXPECT_EQ(host.run({0x04, 0}), (Bytes{0x38}));
}

TEST_F(FdcRegisters, AWarmResetLeavesTheHeadsWhereTheyAre) {
  host.seek(20);
  bench.reset(ResetKind::Warm);
  host.start();
  host.seek(3);
  EXPECT_EQ(host.run({0x4a, 0})[3], 23);
}

TEST_F(FdcRegisters, ThePresentCylinderSurvivesASnapshot) {
  host.seek(20);
  host.set_reg(4, 0x80);
  const auto saved = bench.save();
  bench.reset(ResetKind::Cold);
  ASSERT_TRUE(bench.load(saved));
  host.seek(3);
  EXPECT_EQ(host.run({0x4a, 0})[3], 23);
}

TEST_F(FdcRegisters, ThePresentCylinderOverflowsInRelativeSeeks) {
  host.seek(200);
  host.command({0xcf, 0, 100});
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0x20, 44}));
}

TEST_F(FdcRegisters, ADriveThatIsNotThereNeverFindsTrack0) {
  host.command({0x07, 1});
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0x71, 0}));
}

TEST_F(FdcRegisters, RelativeSeekCounts) {
  host.seek(10);
  host.command({0xcf, 0, 5});
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0x20, 15}));
  host.command({0x8f, 0, 20});
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0x20, 0}));
}

TEST_F(FdcRegisters, ASeekDropsWhatAResetStillHadToReport) {
  host.set_reg(4, 0x80);
  host.sense_interrupt();
  host.command({0x07, 0});
  EXPECT_EQ(host.sense_interrupt(), (Bytes{0x20, 0}));
}

TEST_F(FdcRegisters, WriteProtectionShows) {
  make_fake_disk(bench, "ro", 1440 * KiB, true);
  bench.add("floppy", {{"drive", "ro"}, {"unit", "1"}});
  EXPECT_EQ(host.run({0x04, 1}), (Bytes{0x79}));
}

TEST_F(FdcRegisters, TheChangeLineFallsWithASeek) {
  EXPECT_EQ(host.reg(7), 0x80);
  host.seek(1);
  EXPECT_EQ(host.reg(7), 0x00);
  drive().eject();
  EXPECT_EQ(host.reg(7), 0x80);
  host.seek(2);
  EXPECT_EQ(host.reg(7), 0x80);
  insert(1440 * KiB);
  EXPECT_EQ(host.reg(7), 0x80);
  host.seek(1);
  EXPECT_EQ(host.reg(7), 0x00);
}

// ---- Settings

TEST_F(FdcRegisters, DumpShowsTheSettings) {
  host.seek(12);
  host.command({0x03, 0xdf, 0x07});
  host.command({0x13, 0x00, 0x57, 0x0a});
  host.command({0x12, 0x84 | 0x03});
  EXPECT_EQ(host.run({0x0e}), (Bytes{12, 0, 0, 0, 0xdf, 0x07, 0, 0x07, 0x57, 0x0a}));
}

TEST_F(FdcRegisters, LockKeepsTheConfigurationOverAReset) {
  host.command({0x13, 0x00, 0x57, 0x0a});
  EXPECT_EQ(host.run({0x94}), (Bytes{0x10}));
  host.set_reg(4, 0x80);
  host.sense_interrupt();
  EXPECT_EQ(host.run({0x0e})[8], 0x57);
  EXPECT_EQ(host.run({0x14}), (Bytes{0x00}));
  host.set_reg(4, 0x80);
  host.sense_interrupt();
  EXPECT_EQ(host.run({0x0e})[8], 0x60);
}

TEST_F(FdcRegisters, SaveAndRestoreGoTogether) {
  host.command({0x03, 0xdf, 0x06});
  host.command({0x13, 0x00, 0x57, 0x0a});
  Bytes saved = host.run({0x2e});
  ASSERT_EQ(saved.size(), 16U);
  host.command({0x03, 0x00, 0x00});
  host.command({0x13, 0x00, 0x00, 0x00});
  saved.insert(saved.begin(), 0x4e);
  host.command(saved);
  EXPECT_EQ(host.main_status(), FdcHost::kIdle);
  const Bytes dump = host.run({0x0e});
  EXPECT_EQ(dump[4], 0xdf);
  EXPECT_EQ(dump[5], 0x06);
  EXPECT_EQ(dump[8], 0x57);
  EXPECT_EQ(dump[9], 0x0a);
}

TEST_F(FdcRegisters, DriveSpecificationEndsWithTheMarkedByte) {
  host.command({0x8e, 0x01, 0xc0});
  EXPECT_EQ(host.main_status(), FdcHost::kIdle);
  EXPECT_EQ(host.run({0x8e, 0x01, 0x02, 0x80}).size(), 4U);
}

TEST_F(FdcRegisters, PowerDownModeAndOptionAreTaken) {
  EXPECT_EQ(host.run({0x17, 0x03}), (Bytes{0x03}));
  host.command({0x33, 0x00});
  EXPECT_EQ(host.main_status(), FdcHost::kIdle);
}

TEST_F(FdcRegisters, TheDataRegisterCannotOverrunItsBytes) {
  for (unsigned code = 0; code < 256; ++code) {
    host.set_reg(4, 0x80);
    for (unsigned i = 0; i < 600; ++i)
      host.set_reg(5, i == 0 ? static_cast<u8>(code) : static_cast<u8>(0x7f & i));
    for (unsigned i = 0; i < 600; ++i) host.reg(5);
  }
  host.start();
  EXPECT_EQ(host.run({0x10}), (Bytes{0x90}));
}

}  // namespace
}  // namespace rhea::test
