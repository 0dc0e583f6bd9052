// SPDX-License-Identifier: GPL-2.0-or-later
// The pair of 8237A: registers, masks, requests, snapshots.
#include "tests/legacy/i8237_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

TEST_F(I8237Test, HasTheDatasheetsResetState) {
  EXPECT_EQ(bench_.inb(0x08), 0x00);
  EXPECT_EQ(bench_.inb(0xd0), 0x00);
  EXPECT_EQ(bench_.inb(0x0d), 0x00);
  EXPECT_EQ(bench_.inb(0x0f), 0xff);
  EXPECT_EQ(bench_.inb(0xde), 0xff);
}

TEST_F(I8237Test, AddressAndCountGoThroughTheFlipFlop) {
  program(kSingleWrite, 0x1234, 0x100);
  EXPECT_EQ(word_at(0x04), 0x1234);
  EXPECT_EQ(word_at(0x05), 0x00ff);
}

TEST_F(I8237Test, TheSecondControllersRegistersAreTwoPortsApart) {
  program_words(kSingleWrite, 0x2468, 0x80);
  bench_.outb(0xd8, 0x00);
  EXPECT_EQ(bench_.inb(0xc4), 0x34);
  EXPECT_EQ(bench_.inb(0xc4), 0x12);
  EXPECT_EQ(bench_.inb(0xc6), 0x7f);
}

TEST_F(I8237Test, PageRegistersReadBack) {
  bench_.outb(0x81, 0x12);
  bench_.outb(0x80, 0x34);
  bench_.outb(0x481, 0x56);
  EXPECT_EQ(bench_.inb(0x81), 0x12);
  EXPECT_EQ(bench_.inb(0x80), 0x34);
  EXPECT_EQ(bench_.inb(0x481), 0x56);
}

TEST_F(I8237Test, MasksAreSetOneByOneAndTogether) {
  bench_.outb(0x0e, 0x00);
  EXPECT_EQ(bench_.inb(0x0f), 0xf0);
  bench_.outb(0x0a, 0x05);
  EXPECT_EQ(bench_.inb(0x0f), 0xf2);
  bench_.outb(0x0f, 0x0c);
  EXPECT_EQ(bench_.inb(0x0f), 0xfc);
  bench_.outb(0x0d, 0x00);
  EXPECT_EQ(bench_.inb(0x0f), 0xff);
}

TEST_F(I8237Test, ARequestMovesDataToMemory) {
  dma().register_client(2, client_);
  client_.to_memory = counting(16);
  program(kSingleWrite, 0x12345, 16);
  dma().hold_dreq(2);
  EXPECT_EQ(client_.turns, 0);
  run();
  EXPECT_EQ(bench_.read(0x12345, 17),
            (Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0}));
}

TEST_F(I8237Test, ARequestMovesDataFromMemory) {
  dma().register_client(2, client_);
  client_.reads = true;
  bench_.write(0x2'0000, counting(8));
  program(kSingleRead, 0x2'0000, 8);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(client_.from_memory, counting(8));
}

TEST_F(I8237Test, AtTheEndTheChannelIsMaskedAndSaysSo) {
  dma().register_client(2, client_);
  client_.to_memory = counting(16);
  program(kSingleWrite, 0x1000, 16);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(word_at(0x04), 0x1010);
  EXPECT_EQ(word_at(0x05), 0xffff);
  EXPECT_EQ(bench_.inb(0x0f), 0xff);
  EXPECT_EQ(bench_.inb(0x08), 0x44);
  EXPECT_EQ(bench_.inb(0x08), 0x40);
  dma().release_dreq(2);
  EXPECT_EQ(bench_.inb(0x08), 0x00);
}

TEST_F(I8237Test, APartShowsInTheCurrentRegisters) {
  dma().register_client(2, client_);
  client_.to_memory = counting(6);
  program(kSingleWrite, 0x1000, 16);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(word_at(0x04), 0x1006);
  EXPECT_EQ(word_at(0x05), 9);
  EXPECT_EQ(bench_.inb(0x08), 0x40);
  EXPECT_EQ(client_.offered, 10u);
}

TEST_F(I8237Test, ADeviceThatMovedNothingIsNotAskedAgainUntilItCalls) {
  dma().register_client(2, client_);
  program(kSingleWrite, 0x1000, 16);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(client_.turns, 1);
  client_.to_memory = counting(16);
  dma().schedule();
  run();
  EXPECT_EQ(client_.turns, 2);
  EXPECT_EQ(bench_.inb(0x08) & 0x04, 0x04);
}

TEST_F(I8237Test, AMaskedChannelWaitsForItsMask) {
  dma().register_client(2, client_);
  client_.to_memory = counting(4);
  program(kSingleWrite, 0x1000, 4);
  bench_.outb(0x0a, 0x06);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(client_.turns, 0);
  EXPECT_EQ(bench_.inb(0x08), 0x40);
  bench_.outb(0x0a, 0x02);
  run();
  EXPECT_EQ(bench_.read(0x1000, 4), counting(4));
}

TEST_F(I8237Test, ADisabledControllerMovesNothing) {
  dma().register_client(2, client_);
  client_.to_memory = counting(4);
  program(kSingleWrite, 0x1000, 4);
  bench_.outb(0x08, 0x04);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(client_.turns, 0);
  bench_.outb(0x08, 0x00);
  run();
  EXPECT_EQ(client_.turns, 1);
}

TEST_F(I8237Test, WithoutARequestNothingMoves) {
  dma().register_client(2, client_);
  client_.to_memory = counting(4);
  program(kSingleWrite, 0x1000, 4);
  dma().hold_dreq(2);
  dma().release_dreq(2);
  run();
  EXPECT_EQ(client_.turns, 0);
}

TEST_F(I8237Test, ASoftwareRequestNeedsNoDevicesRequestAndNoMask) {
  dma().register_client(2, client_);
  client_.to_memory = counting(4);
  program(kBlockWrite, 0x1000, 4);
  bench_.outb(0x0a, 0x06);
  bench_.outb(0x09, 0x06);
  run();
  EXPECT_EQ(bench_.read(0x1000, 4), counting(4));
  EXPECT_EQ(bench_.inb(0x08), 0x04);
}

TEST_F(I8237Test, TwoChannelsShareASchedule) {
  DmaTestClient other(bench_);
  dma().register_client(2, client_);
  dma().register_client(5, other);
  client_.to_memory = counting(4);
  other.to_memory = counting(4);
  program(kSingleWrite, 0x1000, 4);
  program_words(kSingleWrite, 0x2000, 2);
  dma().hold_dreq(2);
  dma().hold_dreq(5);
  run();
  EXPECT_EQ(bench_.read(0x1000, 4), counting(4));
  EXPECT_EQ(bench_.read(0x2000, 4), counting(4));
}

TEST_F(I8237Test, ResetMasksEverything) {
  program(kSingleWrite, 0x1000, 4);
  bench_.reset();
  EXPECT_EQ(bench_.inb(0x0f), 0xff);
  EXPECT_EQ(bench_.inb(0x08), 0x00);
}

TEST_F(I8237Test, ASnapshotInTheMiddleOfATransferGoesOn) {
  dma().register_client(2, client_);
  client_.to_memory = counting(6);
  program(kSingleWrite, 0x1000, 16);
  dma().hold_dreq(2);
  run();
  bench_.outb(0x0c, 0x00);
  bench_.inb(0x04);
  const auto saved = bench_.save();
  bench_.reset();

  ASSERT_TRUE(bench_.load(saved));

  EXPECT_EQ(bench_.inb(0x04), 0x10);
  client_.to_memory = counting(10);
  run();
  EXPECT_EQ(bench_.read(0x1006, 10), counting(10));
  EXPECT_EQ(bench_.inb(0x08), 0x44);
}

}  // namespace
}  // namespace rhea::test
