// SPDX-License-Identifier: GPL-2.0-or-later
// The 8259A's modes: automatic end of interrupt, rotation, special mask, full nesting, polling.
#include "tests/legacy/i8259_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

TEST_F(I8259Test, AutomaticEoiLeavesNothingInService) {
  initialise(0x03);
  set(4, true);
  EXPECT_EQ(acknowledge(), 0x0c);
  EXPECT_EQ(isr(kMaster), 0);
  set(6, true);
  EXPECT_TRUE(intr_);
}

TEST_F(I8259Test, RotationOnAutomaticEoiMakesTheServedOneLowest) {
  initialise(0x03);
  bench_.outb(kMaster, 0x80);
  rise(3);
  acknowledge();
  rise(3);
  rise(4);
  EXPECT_EQ(acknowledge(), 0x0c);
  bench_.outb(kMaster, 0x00);
  EXPECT_EQ(acknowledge(), 0x0b);
  rise(3);
  rise(5);
  EXPECT_EQ(acknowledge(), 0x0d);
}

TEST_F(I8259Test, RotationOnUnspecificEoiMakesTheEndedOneLowest) {
  initialise();
  rise(3);
  acknowledge();
  bench_.outb(kMaster, 0xa0);
  rise(3);
  rise(4);
  EXPECT_EQ(acknowledge(), 0x0c);
}

TEST_F(I8259Test, RotationOnSpecificEoiMakesTheNamedOneLowest) {
  initialise();
  rise(6);
  acknowledge();
  bench_.outb(kMaster, 0xe6);
  EXPECT_EQ(isr(kMaster), 0);
  rise(0);
  rise(7);
  EXPECT_EQ(acknowledge(), 0x0f);
  EXPECT_EQ(isr(kMaster), 0x80);
}

TEST_F(I8259Test, SetPriorityMakesTheNamedOneLowest) {
  initialise();
  bench_.outb(kMaster, 0xc4);
  rise(4);
  rise(5);
  EXPECT_EQ(acknowledge(), 0x0d);
}

TEST_F(I8259Test, SpecialMaskModeLetsAllOtherLevelsThrough) {
  initialise();
  set(3, true);
  acknowledge();
  bench_.outb(kMaster + 1, 0x08);
  set(6, true);
  EXPECT_FALSE(intr_);
  bench_.outb(kMaster, 0x68);
  EXPECT_TRUE(intr_);
  bench_.outb(kMaster, 0x48);
  EXPECT_FALSE(intr_);
}

TEST_F(I8259Test, InSpecialMaskModeTheUnspecificEoiPassesOverMaskedLevels) {
  initialise();
  set(3, true);
  acknowledge();
  bench_.outb(kMaster + 1, 0x08);
  bench_.outb(kMaster, 0x68);
  set(6, true);
  acknowledge();
  bench_.outb(kMaster, 0x20);
  EXPECT_EQ(isr(kMaster), 0x08);
}

TEST_F(I8259Test, WithoutSpecialFullyNestedModeTheSlaveWaitsForTheMastersEoi) {
  initialise();
  set(12, true);
  acknowledge();
  set(9, true);
  EXPECT_FALSE(intr_);
}

TEST_F(I8259Test, InSpecialFullyNestedModeAHigherSlaveInputNests) {
  initialise(0x11);
  set(12, true);
  acknowledge();
  set(3, true);
  EXPECT_FALSE(intr_);
  set(9, true);
  EXPECT_TRUE(intr_);
  EXPECT_EQ(acknowledge(), 0x71);
}

TEST_F(I8259Test, PollingAcknowledgesAndNamesTheInput) {
  initialise();
  set(5, true);
  bench_.outb(kMaster, 0x0c);
  EXPECT_EQ(bench_.inb(kMaster), 0x85);
  EXPECT_EQ(isr(kMaster), 0x20);
  EXPECT_FALSE(intr_);
}

TEST_F(I8259Test, PollingWithNothingPendingGivesZero) {
  initialise();
  bench_.outb(kMaster + 1, 0xff);
  bench_.outb(kMaster, 0x0c);
  EXPECT_EQ(bench_.inb(kMaster), 0);
  EXPECT_EQ(bench_.inb(kMaster + 1), 0xff);
}

}  // namespace
}  // namespace rhea::test
