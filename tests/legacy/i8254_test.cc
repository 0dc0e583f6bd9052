// SPDX-License-Identifier: GPL-2.0-or-later
// The 8254 and port 0x61.
#include "rhea/softmmu/speaker_timer.h"
#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr u64 kInputHz = 1'193'182;
constexpr u16 kControl = 0x43;
constexpr u8 kOut = 0x80;
constexpr u8 kNullCount = 0x40;

class I8254Test : public testing::Test {
 protected:
  I8254Test() : device_(bench_.add("isa-pit")), speaker_(dynamic_cast<SpeakerTimer&>(device_)) {
    device_.connect_gpio_out("", 0, bench_.isa().irq(0));
  }

  /// Lets `count` pulses of the input clock pass.
  void pulses(u64 count) {
    Clock& clock = bench_.machine().virtual_clock();
    const u64 target = clock.ticks(kInputHz) + count;
    const auto ns =
        static_cast<i64>((static_cast<u128>(target) * kNsPerSecond + kInputHz - 1) / kInputHz);
    bench_.advance(ns - clock.now_ns());
  }
  u16 port(unsigned counter) const { return static_cast<u16>(0x40 + counter); }
  /// Sets a counter, low and high byte, and lets it load.
  void start(unsigned counter, u8 mode, u16 count) {
    bench_.outb(kControl, static_cast<u8>(counter << 6 | 0x30 | mode << 1));
    write(counter, count);
    pulses(1);
  }
  void write(unsigned counter, u16 count) {
    bench_.outb(port(counter), static_cast<u8>(count));
    bench_.outb(port(counter), static_cast<u8>(count >> 8));
  }
  u16 read(unsigned counter) {
    bench_.outb(kControl, static_cast<u8>(counter << 6));
    const u8 low = bench_.inb(port(counter));
    return static_cast<u16>(low | bench_.inb(port(counter)) << 8);
  }
  u8 status(unsigned counter) {
    bench_.outb(kControl, static_cast<u8>(0xe0 | 2u << counter));
    return bench_.inb(port(counter));
  }
  bool out(unsigned counter) { return (status(counter) & kOut) != 0; }

  Bench bench_;
  Device& device_;
  SpeakerTimer& speaker_;
};

TEST_F(I8254Test, RunsAtEighteenHertzFromReset) {
  bench_.reset();
  const unsigned edges = bench_.irq_edges(0);
  bench_.advance(10 * kNsPerSecond);
  EXPECT_EQ(bench_.irq_edges(0) - edges, 182u);
}

TEST_F(I8254Test, TheControlRegisterReadsAsZero) { EXPECT_EQ(bench_.inb(kControl), 0); }

TEST_F(I8254Test, Mode0RisesOnePulseAfterTheCount) {
  bench_.outb(kControl, 0x30);
  EXPECT_FALSE(out(0));
  write(0, 10);
  pulses(10);
  EXPECT_FALSE(out(0));
  EXPECT_FALSE(bench_.irq(0));
  pulses(1);
  EXPECT_TRUE(out(0));
  EXPECT_TRUE(bench_.irq(0));
}

TEST_F(I8254Test, Mode0CountsOnPastZeroOnce) {
  start(0, 0, 5);
  pulses(5);
  EXPECT_EQ(read(0), 0);
  pulses(1);
  EXPECT_EQ(read(0), 0xffff);
  const unsigned edges = bench_.irq_edges(0);
  pulses(200'000);
  EXPECT_EQ(bench_.irq_edges(0), edges);
  EXPECT_TRUE(out(0));
}

TEST_F(I8254Test, Mode0StopsAtTheFirstByteOfANewCount) {
  start(0, 0, 5);
  pulses(6);
  bench_.outb(port(0), 20);
  EXPECT_FALSE(out(0));
  pulses(100);
  EXPECT_FALSE(out(0));
  bench_.outb(port(0), 0);
  pulses(20);
  EXPECT_FALSE(out(0));
  pulses(1);
  EXPECT_TRUE(out(0));
}

TEST_F(I8254Test, Mode0PausesWhileTheGateIsLow) {
  speaker_.set_gate(true);
  start(2, 0, 100);
  pulses(40);
  speaker_.set_gate(false);
  pulses(1000);
  EXPECT_EQ(read(2), 60);
  speaker_.set_gate(true);
  pulses(59);
  EXPECT_FALSE(out(2));
  pulses(1);
  EXPECT_TRUE(out(2));
}

TEST_F(I8254Test, Mode1WaitsForTheGateAndStaysLowForTheCount) {
  start(2, 1, 10);
  pulses(100);
  EXPECT_TRUE(out(2));
  speaker_.set_gate(true);
  EXPECT_TRUE(out(2));
  pulses(1);
  EXPECT_FALSE(out(2));
  pulses(9);
  EXPECT_FALSE(out(2));
  pulses(1);
  EXPECT_TRUE(out(2));
}

TEST_F(I8254Test, Mode1CanBeTriggeredAgain) {
  start(2, 1, 10);
  speaker_.set_gate(true);
  pulses(6);
  speaker_.set_gate(false);
  speaker_.set_gate(true);
  pulses(10);
  EXPECT_FALSE(out(2));
  pulses(1);
  EXPECT_TRUE(out(2));
}

TEST_F(I8254Test, Mode1TakesANewCountAtTheNextTrigger) {
  start(2, 1, 10);
  speaker_.set_gate(true);
  pulses(2);
  write(2, 4);
  EXPECT_NE(status(2) & kNullCount, 0);
  pulses(8);
  EXPECT_FALSE(out(2));
  pulses(1);
  EXPECT_TRUE(out(2));
  speaker_.set_gate(false);
  speaker_.set_gate(true);
  pulses(1);
  EXPECT_EQ(status(2) & kNullCount, 0);
  pulses(4);
  EXPECT_TRUE(out(2));
}

TEST_F(I8254Test, Mode2IsLowForOnePulseInEachPeriod) {
  start(0, 2, 100);
  EXPECT_TRUE(out(0));
  EXPECT_EQ(read(0), 100);
  pulses(98);
  EXPECT_TRUE(out(0));
  EXPECT_EQ(read(0), 2);
  pulses(1);
  EXPECT_FALSE(out(0));
  EXPECT_EQ(read(0), 1);
  pulses(1);
  EXPECT_TRUE(out(0));
  EXPECT_EQ(read(0), 100);
}

TEST_F(I8254Test, Mode2InterruptsOncePerPeriodWithoutDrift) {
  start(0, 2, 1193);
  const unsigned edges = bench_.irq_edges(0);
  bench_.advance(100 * kNsPerSecond);
  EXPECT_EQ(bench_.irq_edges(0) - edges, 100'015u);  // 119,318,200 pulses / 1193
}

TEST_F(I8254Test, Mode2TakesANewCountAtTheEndOfThePeriod) {
  start(0, 2, 1000);
  pulses(10);
  write(0, 50);
  EXPECT_EQ(read(0), 990);
  EXPECT_NE(status(0) & kNullCount, 0);
  const unsigned edges = bench_.irq_edges(0);
  pulses(989);
  EXPECT_EQ(bench_.irq_edges(0), edges);
  pulses(1);
  EXPECT_EQ(bench_.irq_edges(0), edges + 1);
  EXPECT_EQ(read(0), 50);
  EXPECT_EQ(status(0) & kNullCount, 0);
  pulses(100);
  EXPECT_EQ(bench_.irq_edges(0), edges + 3);
}

TEST_F(I8254Test, Mode2IsHighWhileTheGateIsLowAndBeginsAnew) {
  speaker_.set_gate(true);
  start(2, 2, 10);
  pulses(9);
  EXPECT_FALSE(out(2));
  speaker_.set_gate(false);
  EXPECT_TRUE(out(2));
  pulses(100);
  speaker_.set_gate(true);
  pulses(1);
  EXPECT_EQ(read(2), 10);
}

TEST_F(I8254Test, Mode3IsASquareWave) {
  start(0, 3, 100);
  pulses(49);
  EXPECT_TRUE(out(0));
  pulses(1);
  EXPECT_FALSE(out(0));
  pulses(49);
  EXPECT_FALSE(out(0));
  pulses(1);
  EXPECT_TRUE(out(0));
}

TEST_F(I8254Test, Mode3CountsDownByTwo) {
  start(0, 3, 100);
  EXPECT_EQ(read(0), 100);
  pulses(1);
  EXPECT_EQ(read(0), 98);
  pulses(48);
  EXPECT_EQ(read(0), 2);
  pulses(1);
  EXPECT_EQ(read(0), 100);
}

TEST_F(I8254Test, Mode3WithAnOddCountIsHighOnePulseLonger) {
  start(0, 3, 5);
  EXPECT_EQ(read(0), 4);
  pulses(2);
  EXPECT_TRUE(out(0));
  EXPECT_EQ(read(0), 0);
  pulses(1);
  EXPECT_FALSE(out(0));
  EXPECT_EQ(read(0), 4);
  pulses(1);
  EXPECT_FALSE(out(0));
  pulses(1);
  EXPECT_TRUE(out(0));
}

TEST_F(I8254Test, Mode3TakesANewCountAtTheEndOfTheHalf) {
  start(0, 3, 100);
  pulses(10);
  write(0, 20);
  pulses(39);
  EXPECT_TRUE(out(0));
  pulses(1);
  EXPECT_FALSE(out(0));
  EXPECT_EQ(read(0), 20);
  pulses(10);
  EXPECT_TRUE(out(0));
  pulses(10);
  EXPECT_FALSE(out(0));
}

TEST_F(I8254Test, Mode3InterruptsAtItsRisingEdges) {
  start(0, 3, 1000);
  const unsigned edges = bench_.irq_edges(0);
  pulses(10'000);
  EXPECT_EQ(bench_.irq_edges(0) - edges, 10u);
}

TEST_F(I8254Test, Mode4StrobesOnce) {
  start(0, 4, 20);
  pulses(19);
  EXPECT_TRUE(out(0));
  pulses(1);
  EXPECT_FALSE(out(0));
  const unsigned edges = bench_.irq_edges(0);
  pulses(1);
  EXPECT_TRUE(out(0));
  pulses(200'000);
  EXPECT_EQ(bench_.irq_edges(0), edges + 1);
}

TEST_F(I8254Test, Mode4InterruptsWhenUsedAsOneShot) {
  start(0, 4, 11932);
  const unsigned edges = bench_.irq_edges(0);
  bench_.advance(9'990'000);
  EXPECT_EQ(bench_.irq_edges(0), edges);
  bench_.advance(20'000);
  EXPECT_EQ(bench_.irq_edges(0), edges + 1);
}

TEST_F(I8254Test, Mode5StrobesAfterTheGateRose) {
  start(2, 5, 10);
  pulses(50);
  EXPECT_TRUE(out(2));
  speaker_.set_gate(true);
  pulses(10);
  EXPECT_TRUE(out(2));
  pulses(1);
  EXPECT_FALSE(out(2));
  pulses(1);
  EXPECT_TRUE(out(2));
}

TEST_F(I8254Test, Modes6And7Are2And3) {
  start(0, 6, 10);
  pulses(9);
  EXPECT_EQ(read(0), 1);
  start(0, 7, 10);
  pulses(1);
  EXPECT_EQ(read(0), 8);
}

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

class PcSpeakerTest : public I8254Test {
 protected:
  PcSpeakerTest() { bench_.add("isa-pcspk"); }
};

TEST_F(PcSpeakerTest, ItsLowBitsReadBack) {
  bench_.outb(0x61, 0xff);
  EXPECT_EQ(bench_.inb(0x61) & 0x0f, 0x0f);
  bench_.outb(0x61, 0x00);
  EXPECT_EQ(bench_.inb(0x61) & 0xcf, 0x00);
}

TEST_F(PcSpeakerTest, TheRefreshBitTogglesEveryFifteenMicroseconds) {
  const u8 first = bench_.inb(0x61) & 0x10;
  pulses(18);
  EXPECT_NE(bench_.inb(0x61) & 0x10, first);
  pulses(18);
  EXPECT_EQ(bench_.inb(0x61) & 0x10, first);
}

TEST_F(PcSpeakerTest, Bit0GatesCounter2AndBit5ShowsItsOutput) {
  bench_.outb(0x61, 0x00);
  start(2, 0, 100);
  pulses(500);
  EXPECT_EQ(bench_.inb(0x61) & 0x20, 0);
  bench_.outb(0x61, 0x01);
  pulses(99);
  EXPECT_EQ(bench_.inb(0x61) & 0x20, 0);
  pulses(1);
  EXPECT_EQ(bench_.inb(0x61) & 0x20, 0x20);
}

TEST_F(PcSpeakerTest, Bit5FollowsAnIdleSquareWave) {
  bench_.outb(0x61, 0x01);
  start(2, 3, 100);
  pulses(60);
  EXPECT_EQ(bench_.inb(0x61) & 0x20, 0);
  pulses(40);
  EXPECT_EQ(bench_.inb(0x61) & 0x20, 0x20);
}

TEST_F(PcSpeakerTest, ResetClosesTheGate) {
  bench_.outb(0x61, 0x03);
  bench_.reset();
  EXPECT_EQ(bench_.inb(0x61) & 0x0f, 0);
  EXPECT_FALSE(speaker_.gate());
}

TEST(PcSpeakerAlone, WorksWithoutATimer) {
  Bench bench;
  bench.add("isa-pcspk");
  bench.outb(0x61, 0x03);
  EXPECT_EQ(bench.inb(0x61) & 0xef, 0x03);
}

TEST(PcSpeakerAlone, APathThatIsNoTimerIsRefused) {
  Bench bench;
  const auto result = bench.try_add("isa-pcspk", {{"pit", "/machine/board"}});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message().find("/machine/board"), std::string::npos);
}

}  // namespace
}  // namespace rhea::test
