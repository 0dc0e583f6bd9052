// SPDX-License-Identifier: GPL-2.0-or-later
// The ISA device of kvm-unit-tests.
#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr u64 kMemory = 0xff00'0000;

class PcTestdev : public testing::Test {
 protected:
  PcTestdev() { bench.add("pc-testdev"); }
  Bench bench;
};

TEST_F(PcTestdev, LatchTakesAccessesOfEverySize) {
  bench.outl(0xe0, 0x11223344);
  bench.outw(0xe2, 0x5566);
  bench.outb(0xe1, 0x77);
  EXPECT_EQ(bench.inl(0xe0), 0x55667744u);
  EXPECT_EQ(bench.inw(0xe2), 0x5566u);
  EXPECT_EQ(bench.inb(0xe1), 0x77u);
}

TEST_F(PcTestdev, LatchIsReachedByteByByteToo) {
  bench.outl(0xe8, 0xa1b2c3d4);
  EXPECT_EQ(bench.inl(0xe0), 0xa1b2c3d4u);
  EXPECT_EQ(bench.inb(0xeb), 0xa1u);
}

TEST_F(PcTestdev, LinesFollowWhatIsWritten) {
  bench.outb(0x2005, 1);
  EXPECT_TRUE(bench.irq(5));
  bench.outb(0x2005, 0);
  EXPECT_FALSE(bench.irq(5));
  bench.outb(0x2017, 1);
}

TEST_F(PcTestdev, LineIsOneSourceHoweverOftenItIsWritten) {
  bench.outb(0x2005, 1);
  bench.outb(0x2005, 1);
  bench.outb(0x2005, 0);
  EXPECT_FALSE(bench.irq(5));
}

TEST_F(PcTestdev, ResetLowersLines) {
  bench.outb(0x2005, 1);
  bench.reset();
  EXPECT_FALSE(bench.irq(5));
}

TEST_F(PcTestdev, MemoryIsReadAsWritten) {
  bench.store(kMemory + 0x10, 0x1122334455667788, 8);
  EXPECT_EQ(bench.load(kMemory + 0x11, 4), 0x44556677u);
  bench.store(kMemory + 0xffff, 0xab, 1);
  EXPECT_EQ(bench.load(kMemory + 0xffff, 1), 0xabu);
}

TEST_F(PcTestdev, FlushingAPageChangesNothing) {
  bench.store(0x3000, 0x12345678, 4);
  bench.outl(0xe4, 0x3000);
  bench.outl(0xe4, 0xfffff000);
  EXPECT_EQ(bench.load(0x3000, 4), 0x12345678u);
}

TEST_F(PcTestdev, StateSurvivesASnapshotAndEndsWithAReset) {
  bench.outl(0xe0, 0x11223344);
  bench.store(kMemory, 0x55, 1);
  const auto stream = bench.save();
  bench.reset();
  EXPECT_EQ(bench.inl(0xe0), 0u);
  EXPECT_EQ(bench.load(kMemory, 1), 0u);
  ASSERT_TRUE(bench.load(stream));
  EXPECT_EQ(bench.inl(0xe0), 0x11223344u);
  EXPECT_EQ(bench.load(kMemory, 1), 0x55u);
}

}  // namespace
}  // namespace rhea::test
