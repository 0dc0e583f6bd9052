// SPDX-License-Identifier: GPL-2.0-or-later
// The timer's tick at the interrupt controller: what a processor that is held up loses.
#include "tests/legacy/i8254_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

/// Counter 0 on input 0 of the 8259s, in mode 3 at a kilohertz.
class TickTest : public testing::Test {
 protected:
  static constexpr i64 kMillisecond = 1'000'000;

  TickTest() : pic_(bench_.add("isa-i8259")), pit_(bench_.add("isa-pit")) {
    pit_.connect_gpio_out("", 0, pic_.gpio_in("", 0));
    for (const auto& [port, value] : {std::pair<u16, u8>{0x20, 0x11},
                                      {0x21, 0x08},
                                      {0x21, 0x04},
                                      {0x21, 0x01},
                                      {0x43, 0x36},
                                      {0x40, 0xa9},
                                      {0x40, 0x04}})
      bench_.outb(port, value);
  }
  bool pending() { return bench_.machine().interrupts.pic->intr(); }
  /// One interrupt, if there is one.
  unsigned take() {
    if (!pending()) return 0;
    EXPECT_EQ(bench_.machine().interrupts.pic->acknowledge(), 0x08);
    bench_.outb(0x20, 0x20);
    return 1;
  }
  /// Ticks taken in so many microseconds by a processor that looks each of them.
  unsigned ticks(unsigned microseconds) {
    unsigned taken = 0;
    for (unsigned i = 0; i < microseconds; ++i) {
      bench_.advance(1000);
      taken += take();
    }
    return taken;
  }
  /// The processor is held up for five milliseconds, `phase` microseconds after a tick.
  unsigned ticks_after_stall(unsigned phase) {
    while (take() == 0) bench_.advance(1000);
    ticks(phase);
    bench_.advance(5 * kMillisecond);
    return take();
  }

  Bench bench_;
  Device& pic_;
  Device& pit_;
};

TEST_F(TickTest, ComesAThousandTimesASecond) { EXPECT_NEAR(ticks(100'000), 100, 1); }

// Of the five ticks one stays requested, whether OUT is high or low when the processor goes on.
TEST_F(TickTest, AStalledProcessorStillGetsOne) {
  EXPECT_EQ(ticks_after_stall(50), 1u);
  EXPECT_EQ(ticks_after_stall(250), 1u);
  EXPECT_EQ(ticks_after_stall(450), 1u);
  EXPECT_EQ(ticks_after_stall(550), 1u);
  EXPECT_EQ(ticks_after_stall(750), 1u);
  EXPECT_EQ(ticks_after_stall(950), 1u);
}

TEST_F(TickTest, ReadingTheCountWithdrawsNothing) {
  while (take() == 0) bench_.advance(1000);
  bench_.advance(kMillisecond + 700'000);
  bench_.outb(0x43, 0x00);
  bench_.inb(0x40);
  bench_.inb(0x40);
  bench_.outb(0x43, 0xc2);
  bench_.inb(0x40);
  EXPECT_TRUE(pending());
}

TEST_F(TickTest, ComesOnceAlthoughItStaysRequested) {
  while (take() == 0) bench_.advance(1000);
  bench_.advance(3 * kMillisecond);
  EXPECT_EQ(take(), 1u);
  EXPECT_EQ(take(), 0u);
}

TEST_F(TickTest, AGuestThatStopsTheCounterWithdrawsIt) {
  while (take() == 0) bench_.advance(1000);
  bench_.advance(kMillisecond + 10'000);
  EXPECT_TRUE(pending());
  bench_.outb(0x43, 0x30);
  EXPECT_FALSE(pending());
}

TEST_F(TickTest, ANewCountInTheHighHalfTicksInTime) {
  while (take() == 0) bench_.advance(1000);
  bench_.outb(0x40, 0xff);
  bench_.outb(0x40, 0xff);
  bench_.advance(2 * kMillisecond);
  EXPECT_EQ(take(), 0u);
  bench_.outb(0x40, 0xa9);
  bench_.outb(0x40, 0x04);
  // The low half of 54.9 ms is under way: the new count comes with its end.
  bench_.advance(60 * kMillisecond);
  EXPECT_EQ(take(), 1u);
  EXPECT_NEAR(ticks(100'000), 100, 1);
}

TEST_F(TickTest, ASnapshotKeepsTheRequest) {
  while (take() == 0) bench_.advance(1000);
  bench_.advance(kMillisecond + 700'000);
  const auto saved = bench_.save();
  bench_.reset();
  ASSERT_TRUE(bench_.load(saved));
  EXPECT_TRUE(pending());
  EXPECT_EQ(take(), 1u);
  EXPECT_EQ(ticks(250), 0u);
  EXPECT_EQ(ticks(100), 1u);
}

}  // namespace
}  // namespace rhea::test
