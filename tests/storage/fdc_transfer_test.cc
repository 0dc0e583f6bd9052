// SPDX-License-Identifier: GPL-2.0-or-later
// The floppy controller: moving sectors.
#include "tests/storage/fdc_fixture.h"

#include <algorithm>

namespace rhea::test {
namespace {

using Bytes = std::vector<u8>;
using Direction = FdcHost::Direction;

constexpr u8 kRead = 0xe6, kReadOneSide = 0x66, kWrite = 0xc5;
constexpr u32 kMemory = 0x20000;

class FdcTransfer : public Fdc {
 protected:
  Bytes memory(u32 sectors) { return bench.read(kMemory, sectors * 512); }
  /// Compares `sectors` sectors of memory with those of the track, to sector `last`.
  Bytes scan(u8 opcode, u32 sectors, u8 last) {
    host.set_dma(kMemory, sectors * 512, Direction::FromMemory);
    Bytes command = FdcHost::sectors(opcode, 0, 0, 1, last);
    command[8] = 1;
    return host.run(command);
  }
};

TEST_F(FdcTransfer, ForgottenReadsLeaveNothingBehind) {
  gate->close();
  for (int i = 0; i < 200; ++i) {
    host.command(FdcHost::sectors(0x46, 0, 0, 1, 18));
    host.set_reg(4, 0x80);
  }
  EXPECT_LE(drive().in_flight(), 1U);
}

TEST_F(FdcTransfer, ADmaReadFillsMemory) {
  host.set_dma(kMemory, 3 * 512, Direction::ToMemory);
  EXPECT_EQ(host.run(FdcHost::sectors(kRead, 5, 1, 4, 18)), (Bytes{0x04, 0, 0, 5, 1, 7, 2}));
  EXPECT_EQ(memory(3), image(5, 1, 4, 3));
}

TEST_F(FdcTransfer, TheResultHasAnInterrupt) {
  host.set_dma(kMemory, 512, Direction::ToMemory);
  host.command(FdcHost::sectors(kRead, 0, 0, 1, 18));
  EXPECT_TRUE(bench.run_until([this] { return host.irq(); }));
  EXPECT_EQ(host.main_status(), FdcHost::kReadyForHost);
  host.result();
  EXPECT_FALSE(host.irq());
  EXPECT_EQ(host.main_status(), FdcHost::kIdle);
}

TEST_F(FdcTransfer, MultiTrackGoesOnOnTheOtherSide) {
  host.set_dma(kMemory, 36 * 512, Direction::ToMemory);
  EXPECT_EQ(host.run(FdcHost::sectors(kRead, 7, 0, 1, 18)), (Bytes{0x00, 0, 0, 8, 0, 1, 2}));
  EXPECT_EQ(memory(36), image(7, 0, 1, 36));
}

TEST_F(FdcTransfer, TheEndOfACylinderWithoutTerminalCountIsAnError) {
  host.set_dma(kMemory, 20 * 512, Direction::ToMemory);
  EXPECT_EQ(host.run(FdcHost::sectors(kReadOneSide, 7, 0, 1, 18)),
            (Bytes{0x40, 0x80, 0, 8, 0, 1, 2}));
  EXPECT_EQ(memory(18), image(7, 0, 1, 18));
}

TEST_F(FdcTransfer, ATerminalCountInTheMiddleOfASectorEndsTheRead) {
  host.set_dma(kMemory, 700, Direction::ToMemory);
  EXPECT_EQ(host.run(FdcHost::sectors(kRead, 0, 0, 1, 18)), (Bytes{0x00, 0, 0, 0, 0, 3, 2}));
  EXPECT_EQ(bench.read(kMemory + 700, 10), Bytes(10));
}

TEST_F(FdcTransfer, ADmaWriteReachesTheDiskette) {
  bench.write(kMemory, Bytes(1024, 0x5a));
  host.set_dma(kMemory, 1024, Direction::FromMemory);
  EXPECT_EQ(host.run(FdcHost::sectors(kWrite, 2, 0, 17, 18)), (Bytes{0x04, 0, 0, 2, 1, 1, 2}));
  EXPECT_EQ(image(2, 0, 17, 2), Bytes(1024, 0x5a));
}

TEST_F(FdcTransfer, APartialSectorIsFilledUpWithZeroes) {
  bench.write(kMemory, Bytes(100, 0x5a));
  host.set_dma(kMemory, 100, Direction::FromMemory);
  host.run(FdcHost::sectors(kWrite, 2, 0, 3, 18));
  Bytes expected(100, 0x5a);
  expected.resize(512, 0);
  EXPECT_EQ(image(2, 0, 3, 1), expected);
}

TEST_F(FdcTransfer, AReadWithoutDmaGoesThroughTheDataRegister) {
  host.specify(true);
  host.command(FdcHost::sectors(kReadOneSide, 3, 0, 2, 3));
  EXPECT_TRUE(bench.run_until([this] { return host.irq(); }));
  EXPECT_EQ(host.main_status(), 0xf0);
  EXPECT_EQ(host.read_data(1024), image(3, 0, 2, 2));
  // Nobody can give a terminal count.
  EXPECT_EQ(host.result(), (Bytes{0x40, 0x80, 0, 4, 0, 1, 2}));
}

TEST_F(FdcTransfer, AWriteWithoutDmaGoesThroughTheDataRegister) {
  host.specify(true);
  host.command(FdcHost::sectors(0x45, 3, 1, 2, 2));
  host.write_data(Bytes(512, 0x33));
  EXPECT_EQ(host.result(), (Bytes{0x44, 0x80, 0, 4, 1, 1, 2}));
  EXPECT_EQ(image(3, 1, 2, 1), Bytes(512, 0x33));
}

TEST_F(FdcTransfer, WithoutImpliedSeekTheHeadsStay) {
  host.command({0x13, 0x00, 0x20, 0x00});
  host.set_dma(kMemory, 512, Direction::ToMemory);
  EXPECT_EQ(host.run(FdcHost::sectors(kRead, 5, 0, 1, 18)), (Bytes{0x40, 0x04, 0x10, 5, 0, 1, 2}));
  host.seek(5);
  EXPECT_EQ(host.run(FdcHost::sectors(kRead, 5, 0, 1, 18))[0], 0x00);
}

TEST_F(FdcTransfer, ASectorThatTheTrackLacksIsNotFound) {
  host.set_dma(kMemory, 512, Direction::ToMemory);
  EXPECT_EQ(host.run(FdcHost::sectors(kRead, 5, 0, 19, 20)), (Bytes{0x40, 0x04, 0, 5, 0, 19, 2}));
  EXPECT_EQ(host.run(FdcHost::sectors(kRead, 5, 0, 0, 18))[1], 0x04);
}

TEST_F(FdcTransfer, ACylinderThatTheDisketteLacksHasNoMarks) {
  host.set_dma(kMemory, 512, Direction::ToMemory);
  EXPECT_EQ(host.run(FdcHost::sectors(kRead, 80, 0, 1, 18))[1], 0x01);
}

TEST_F(FdcTransfer, AnotherSectorSizeIsNotFound) {
  Bytes command = FdcHost::sectors(kRead, 0, 0, 1, 18);
  command[5] = 3;
  EXPECT_EQ(host.run(command)[1], 0x04);
}

TEST_F(FdcTransfer, WithoutADisketteThereAreNoMarks) {
  drive().eject();
  EXPECT_EQ(host.run(FdcHost::sectors(kRead, 0, 0, 1, 18)), (Bytes{0x40, 0x01, 0, 0, 0, 1, 2}));
}

TEST_F(FdcTransfer, AtTheWrongRateThereAreNoMarks) {
  host.rate(2);
  EXPECT_EQ(host.run(FdcHost::sectors(kRead, 0, 0, 1, 18))[1], 0x01);
}

TEST_F(FdcTransfer, AProtectedDisketteIsNotWritten) {
  make_fake_disk(bench, "ro", 1440 * KiB, true);
  bench.add("floppy", {{"drive", "ro"}, {"unit", "1"}});
  EXPECT_EQ(host.run(FdcHost::sectors(kWrite, 0, 0, 1, 18, 1)), (Bytes{0x41, 0x02, 0, 0, 0, 1, 2}));
}

TEST_F(FdcTransfer, AnUnreadableSectorIsADataError) {
  gate->break_at(512);
  host.set_dma(kMemory, 2 * 512, Direction::ToMemory);
  EXPECT_EQ(host.run(FdcHost::sectors(kRead, 0, 0, 1, 18)), (Bytes{0x40, 0x20, 0x20, 0, 0, 1, 2}));
}

TEST_F(FdcTransfer, ReadIdNamesTheSectorsInTurn) {
  host.seek(9);
  EXPECT_EQ(host.run({0x4a, 0x04}), (Bytes{0x04, 0, 0, 9, 1, 1, 2}));
  EXPECT_EQ(host.run({0x4a, 0x04})[5], 2);
  drive().eject();
  EXPECT_EQ(host.run({0x4a, 0x00})[1], 0x01);
}

TEST_F(FdcTransfer, ReadTrackStartsAtTheIndex) {
  host.seek(4);
  host.set_dma(kMemory, 5 * 512, Direction::ToMemory);
  EXPECT_EQ(host.run(FdcHost::sectors(0x42, 4, 0, 9, 5))[0], 0x00);
  EXPECT_EQ(memory(5), image(4, 0, 1, 5));
}

TEST_F(FdcTransfer, ReadDeletedStopsAtTheFirstOrdinarySector) {
  host.set_dma(kMemory, 5 * 512, Direction::ToMemory);
  EXPECT_EQ(host.run(FdcHost::sectors(0x4c, 4, 0, 3, 18)), (Bytes{0x00, 0, 0x40, 5, 0, 1, 2}));
  EXPECT_EQ(memory(1), image(4, 0, 3, 1));
}

TEST_F(FdcTransfer, VerifyReadsWithoutTheHost) {
  EXPECT_EQ(host.run(FdcHost::sectors(0x56, 4, 0, 1, 18)), (Bytes{0x00, 0, 0, 5, 0, 1, 2}));
  Bytes counted = FdcHost::sectors(0x56, 4, 0, 1, 18);
  counted[1] |= 0x80;
  counted[8] = 4;
  EXPECT_EQ(host.run(counted), (Bytes{0x00, 0, 0, 4, 0, 5, 2}));
}

TEST_F(FdcTransfer, ScanFindsTheEqualSector) {
  bench.write(kMemory, Bytes(3 * 512, 0x01));
  gate->data.assign(gate->data.size(), 0);
  std::fill_n(gate->data.begin() + 512, 512, u8{0x01});
  EXPECT_EQ(scan(0x51, 3, 18), (Bytes{0x00, 0, 0x08, 0, 0, 2, 2}));
}

TEST_F(FdcTransfer, ScanHighOrEqualTakesTheFirstHigherSector) {
  bench.write(kMemory, Bytes(3 * 512, 0x05));
  gate->data.assign(gate->data.size(), 0);
  std::fill_n(gate->data.begin() + 1024, 512, u8{0x09});
  EXPECT_EQ(scan(0x5d, 3, 18), (Bytes{0x00, 0, 0x00, 0, 0, 3, 2}));
}

TEST_F(FdcTransfer, AScanThatFindsNothingSaysSo) {
  bench.write(kMemory, Bytes(4 * 512, 0x05));
  gate->data.assign(gate->data.size(), 0);
  EXPECT_EQ(scan(0x51, 4, 3)[2], 0x04);
}

TEST_F(FdcTransfer, FormatFillsTheTrack) {
  Bytes ids;
  for (u8 sector = 1; sector <= 18; ++sector) ids.insert(ids.end(), {11, 1, sector, 2});
  bench.write(kMemory, ids);
  host.seek(11);
  host.set_dma(kMemory, static_cast<u32>(ids.size()), Direction::FromMemory);
  EXPECT_EQ(host.run({0x4d, 0x04, 2, 18, 0x6c, 0xf6})[0], 0x04);
  EXPECT_EQ(image(11, 1, 1, 18), Bytes(18 * 512, 0xf6));
  EXPECT_NE(image(12, 0, 1, 1), Bytes(512, 0xf6));
}

TEST_F(FdcTransfer, FormatLeavesSectorsAloneThatAreNotNamed) {
  const Bytes before = image(0, 0, 2, 1);
  host.specify(true);
  host.command({0x4d, 0x00, 2, 2, 0x6c, 0xf6});
  host.write_data(Bytes{0, 0, 1, 2, 0, 0, 200, 2});
  EXPECT_EQ(host.result()[0], 0x00);
  EXPECT_EQ(image(0, 0, 1, 1), Bytes(512, 0xf6));
  EXPECT_EQ(image(0, 0, 2, 1), before);
}

// ---- Resets and snapshots

TEST_F(FdcTransfer, AResetForgetsTheReadUnderWay) {
  gate->close();
  host.set_dma(kMemory, 512, Direction::ToMemory);
  host.command(FdcHost::sectors(kRead, 0, 0, 1, 18));
  host.set_reg(4, 0x80);
  gate->open();
  drive().drain();
  for (int turn = 0; turn < 10; ++turn) bench.machine().loop().iterate(false);
  EXPECT_EQ(memory(1), Bytes(512));
  EXPECT_EQ(host.main_status(), FdcHost::kIdle);
}

TEST_F(FdcTransfer, ASnapshotInTheMiddleOfAReadGoesOn) {
  host.specify(true);
  host.command(FdcHost::sectors(kReadOneSide, 3, 0, 2, 3));
  host.read_data(600);
  const auto saved = bench.save();
  bench.reset(ResetKind::Cold);
  ASSERT_TRUE(bench.load(saved));
  const Bytes all = image(3, 0, 2, 2);
  EXPECT_EQ(host.read_data(424), Bytes(all.begin() + 600, all.end()));
  EXPECT_EQ(host.result()[1], 0x80);
}

TEST_F(FdcTransfer, ASnapshotOfATransferThatWaitsForDmaGoesOn) {
  host.command(FdcHost::sectors(kRead, 1, 0, 1, 18));
  drive().drain();
  const auto saved = bench.save();
  bench.reset(ResetKind::Cold);
  ASSERT_TRUE(bench.load(saved));
  host.set_dma(kMemory, 512, Direction::ToMemory);
  EXPECT_EQ(host.result(), (Bytes{0x00, 0, 0, 1, 0, 2, 2}));
  EXPECT_EQ(memory(1), image(1, 0, 1, 1));
}

}  // namespace
}  // namespace rhea::test
