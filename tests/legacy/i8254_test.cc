// SPDX-License-Identifier: GPL-2.0-or-later
// The 8254: counts, the ways to read them, snapshots.
#include "tests/legacy/i8254_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

TEST_F(I8254Test, RunsAtEighteenHertzFromReset) {
  bench_.reset();
  const unsigned edges = bench_.irq_edges(0);
  bench_.advance(10 * kNsPerSecond);
  EXPECT_EQ(bench_.irq_edges(0) - edges, 182u);
}

TEST_F(I8254Test, TheControlRegisterReadsAsZero) { EXPECT_EQ(bench_.inb(kControl), 0); }

TEST_F(I8254Test, ACountOfZeroIsTheLongest) {
  start(0, 0, 0);
  EXPECT_EQ(read(0), 0);
  pulses(1);
  EXPECT_EQ(read(0), 0xffff);
  pulses(65'534);
  EXPECT_FALSE(out(0));
  pulses(1);
  EXPECT_TRUE(out(0));
}

TEST_F(I8254Test, BcdCountsInDecimal) {
  bench_.outb(kControl, 0x31);
  write(0, 0x1000);
  pulses(2);
  EXPECT_EQ(read(0), 0x0999);
  pulses(998);
  EXPECT_FALSE(out(0));
  pulses(1);
  EXPECT_TRUE(out(0));
  EXPECT_EQ(read(0), 0x0000);
  pulses(1);
  EXPECT_EQ(read(0), 0x9999);
}

TEST_F(I8254Test, LowByteAccessWritesAndReadsTheLowByte) {
  bench_.outb(kControl, 0x10);
  bench_.outb(port(0), 0x55);
  pulses(1);
  EXPECT_EQ(bench_.inb(port(0)), 0x55);
  EXPECT_EQ(bench_.inb(port(0)), 0x55);
  pulses(0x55);
  EXPECT_TRUE(out(0));
}

TEST_F(I8254Test, HighByteAccessWritesAndReadsTheHighByte) {
  bench_.outb(kControl, 0x20);
  bench_.outb(port(0), 0x02);
  pulses(1);
  EXPECT_EQ(bench_.inb(port(0)), 0x02);
  pulses(1);
  EXPECT_EQ(bench_.inb(port(0)), 0x01);
  pulses(0x1ff);
  EXPECT_TRUE(out(0));
}

TEST_F(I8254Test, WithoutALatchBytesAlternate) {
  start(0, 0, 0x1234);
  EXPECT_EQ(bench_.inb(port(0)), 0x34);
  EXPECT_EQ(bench_.inb(port(0)), 0x12);
  EXPECT_EQ(bench_.inb(port(0)), 0x34);
}

TEST_F(I8254Test, ALatchedCountStaysUntilItIsRead) {
  start(0, 0, 0x1000);
  bench_.outb(kControl, 0x00);
  pulses(100);
  bench_.outb(kControl, 0x00);
  EXPECT_EQ(bench_.inb(port(0)), 0x00);
  EXPECT_EQ(bench_.inb(port(0)), 0x10);
  EXPECT_EQ(read(0), 0x1000 - 100);
}

TEST_F(I8254Test, ReadBackLatchesStatusBeforeCount) {
  start(0, 2, 0x0102);
  bench_.outb(kControl, 0xc2);
  pulses(5);
  EXPECT_EQ(bench_.inb(port(0)), 0xb4);
  EXPECT_EQ(bench_.inb(port(0)), 0x02);
  EXPECT_EQ(bench_.inb(port(0)), 0x01);
}

TEST_F(I8254Test, ReadBackTakesSeveralCounters) {
  start(0, 2, 0x1000);
  start(1, 2, 0x2000);
  bench_.outb(kControl, 0xd6);
  pulses(7);
  EXPECT_EQ(bench_.inb(port(0)), 0xff);
  EXPECT_EQ(bench_.inb(port(0)), 0x0f);
  EXPECT_EQ(bench_.inb(port(1)), 0x00);
  EXPECT_EQ(bench_.inb(port(1)), 0x20);
}

TEST_F(I8254Test, NullCountIsSetUntilTheCountIsLoaded) {
  bench_.outb(kControl, 0x34);
  EXPECT_EQ(status(0), 0xf4);
  write(0, 100);
  EXPECT_EQ(status(0), 0xf4);
  pulses(1);
  EXPECT_EQ(status(0), 0xb4);
}

TEST_F(I8254Test, AControlWordLetsGoOfLatches) {
  start(0, 0, 0x1234);
  bench_.outb(kControl, 0x00);
  start(0, 0, 0x5678);
  EXPECT_EQ(bench_.inb(port(0)), 0x78);
}

TEST_F(I8254Test, ATinyCountDoesNotHoldTheHostUp) {
  bench_.outb(kControl, 0x34);
  write(0, 2);
  const unsigned edges = bench_.irq_edges(0);
  bench_.advance(kNsPerSecond);
  EXPECT_LE(bench_.irq_edges(0) - edges, 100'000u);
  EXPECT_GE(bench_.irq_edges(0) - edges, 90'000u);
}

TEST_F(I8254Test, ASaveJustBeforeATickDoesNotDelayIt) {
  start(0, 2, 1000);
  const unsigned edges = bench_.irq_edges(0);
  pulses(999);
  bench_.save();
  EXPECT_EQ(bench_.irq_edges(0), edges);
  pulses(1);
  EXPECT_EQ(bench_.irq_edges(0), edges + 1);
}

TEST_F(I8254Test, ASnapshotInTheMiddleOfAPeriodKeepsItsTime) {
  start(0, 2, 1000);
  speaker_.set_gate(true);
  start(2, 0, 5000);
  pulses(399);
  bench_.outb(port(0), 0x12);
  const auto saved = bench_.save();
  pulses(77);
  bench_.reset();

  ASSERT_TRUE(bench_.load(saved));

  const unsigned edges = bench_.irq_edges(0);
  EXPECT_EQ(read(0), 600);
  EXPECT_EQ(read(2), 4601);
  pulses(599);
  EXPECT_EQ(bench_.irq_edges(0), edges);
  pulses(1);
  EXPECT_EQ(bench_.irq_edges(0), edges + 1);
  bench_.outb(port(0), 0x00);
  pulses(1000);
  EXPECT_EQ(read(0), 0x12);
}

}  // namespace
}  // namespace rhea::test
