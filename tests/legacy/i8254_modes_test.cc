// SPDX-License-Identifier: GPL-2.0-or-later
// The 8254's six modes.
#include "tests/legacy/i8254_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

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

}  // namespace
}  // namespace rhea::test
