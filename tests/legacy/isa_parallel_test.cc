// SPDX-License-Identifier: GPL-2.0-or-later
// The parallel port, driven as a printer driver drives it.
#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr u16 kLptData = 0x378, kLptStatus = 0x379, kLptControl = 0x37a;
constexpr u8 kIdle = 0x0c, kStrobed = 0x0d, kWithIrq = 0x10, kReady = 0xdf, kBusy = 0x5f,
             kAcknowledging = 0x1f;
constexpr i64 kAckTime = 5'000;

class IsaParallelTest : public testing::Test {
 protected:
  IsaParallelTest() : paper(FakeChardev::make(bench, "paper")) {
    bench.add("isa-parallel", {{"chardev", "paper"}});
  }
  void strobe(u8 byte, u8 more = 0) {
    bench.outb(kLptData, byte);
    bench.outb(kLptControl, kStrobed | more);
    bench.outb(kLptControl, kIdle | more);
  }
  u8 status() { return bench.inb(kLptStatus); }
  Bench bench;
  FakeChardev& paper;
};

TEST_F(IsaParallelTest, IsReadyAndSelectedAfterReset) {
  EXPECT_EQ(status(), kReady);
  EXPECT_EQ(bench.inb(kLptControl), 0xc0u | kIdle);
  EXPECT_EQ(bench.inb(kLptData), 0xffu);
  EXPECT_EQ(bench.inb(kLptData + 3), 0xffu);
}

TEST_F(IsaParallelTest, PrintsAByteWithEachStrobe) {
  strobe('R');
  EXPECT_EQ(paper.written, "R");
  EXPECT_EQ(status(), kAcknowledging);
  bench.advance(kAckTime);
  EXPECT_EQ(status(), kReady);
  strobe('h');
  bench.advance(kAckTime);
  bench.outb(kLptControl, kIdle);
  EXPECT_EQ(paper.written, "Rh");
}

TEST_F(IsaParallelTest, AStrobeWhileItIsBusyIsLost) {
  strobe('a');
  strobe('b');
  bench.advance(kAckTime);
  strobe('c');
  EXPECT_EQ(paper.written, "ac");
}

TEST_F(IsaParallelTest, IsBusyWhileTheStrobeLasts) {
  bench.outb(kLptControl, kStrobed);
  bench.advance(kAckTime);
  EXPECT_EQ(status(), kBusy);
  bench.outb(kLptControl, kIdle);
  EXPECT_EQ(status(), kReady);
}

TEST_F(IsaParallelTest, NotSelectedItPrintsNothing) {
  bench.outb(kLptControl, 0x04);
  bench.outb(kLptControl, 0x05);
  EXPECT_EQ(paper.written, "");
}

TEST_F(IsaParallelTest, WaitsForTheBackEnd) {
  paper.room = 0;
  strobe('x');
  bench.advance(1'000'000);
  EXPECT_EQ(status(), kBusy);
  paper.make_room(1);
  EXPECT_EQ(paper.written, "x");
  EXPECT_EQ(status(), kAcknowledging);
  bench.advance(kAckTime);
  EXPECT_EQ(status(), kReady);
}

TEST_F(IsaParallelTest, ThePrintersResetForgetsTheByte) {
  paper.room = 0;
  strobe('x');
  bench.outb(kLptControl, 0x08);
  bench.outb(kLptControl, kIdle);
  EXPECT_EQ(status(), kReady);
  paper.make_room(10);
  EXPECT_EQ(paper.written, "");
}

TEST_F(IsaParallelTest, InterruptsBehindTheAcknowledge) {
  strobe('i', kWithIrq);
  EXPECT_FALSE(bench.irq(7));
  bench.advance(kAckTime);
  EXPECT_TRUE(bench.irq(7));
  EXPECT_EQ(status(), kReady);
  EXPECT_FALSE(bench.irq(7));
}

TEST_F(IsaParallelTest, NotEnabledItDoesNotInterrupt) {
  strobe('i');
  bench.advance(kAckTime);
  EXPECT_FALSE(bench.irq(7));
}

TEST_F(IsaParallelTest, TurnedInwardsTheLinesAreHigh) {
  bench.outb(kLptData, 0x55);
  EXPECT_EQ(bench.inb(kLptData), 0x55u);
  bench.outb(kLptControl, kIdle | 0x20);
  EXPECT_EQ(bench.inb(kLptData), 0xffu);
}

TEST_F(IsaParallelTest, ASnapshotHoldsTheByteThatWaits) {
  paper.room = 0;
  strobe('s', kWithIrq);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(bench.save(), saved);
  EXPECT_EQ(status(), kBusy);
  paper.make_room(1);
  bench.advance(kAckTime);
  EXPECT_EQ(paper.written, "s");
  EXPECT_TRUE(bench.irq(7));
}

TEST(IsaParallelPorts, AreThreeAtTheirUsualPlaces) {
  Bench bench;
  for (unsigned n = 0; n < 3; ++n) bench.add("isa-parallel");
  EXPECT_EQ(bench.inb(0x37a), 0xccu);
  EXPECT_EQ(bench.inb(0x27a), 0xccu);
  EXPECT_EQ(bench.inb(0x3be), 0xccu);
  EXPECT_EQ(bench.try_add("isa-parallel").error().message(),
            "Property 'isa-parallel.index' is 3: there are at most 3 parallel ports");
}

TEST(IsaParallelPorts, PlaceAndLineAreProperties) {
  Bench bench;
  bench.add("isa-parallel", {{"iobase", "0x100"}, {"irq", "5"}});
  EXPECT_EQ(bench.inb(0x102), 0xccu);
  EXPECT_FALSE(bench.try_add("isa-parallel", {{"irq", "16"}}));
}

}  // namespace
}  // namespace rhea::test
