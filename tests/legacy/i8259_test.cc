// SPDX-License-Identifier: GPL-2.0-or-later
// The pair of 8259A: requests, service, initialisation, snapshots.
#include "tests/legacy/i8259_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

TEST_F(I8259Test, IsQuietAfterReset) {
  EXPECT_EQ(bench_.inb(kMaster + 1), 0);
  EXPECT_EQ(bench_.inb(kSlave + 1), 0);
  EXPECT_EQ(irr(kMaster), 0);
  EXPECT_EQ(isr(kMaster), 0);
  EXPECT_EQ(bench_.inw(kElcr), 0);
  EXPECT_FALSE(bench_.machine().interrupts.pic->intr());
}

TEST_F(I8259Test, RemembersTheInterruptMask) {
  initialise();
  bench_.outb(kMaster + 1, 0xa5);
  bench_.outb(kSlave + 1, 0x5a);
  EXPECT_EQ(bench_.inb(kMaster + 1), 0xa5);
  EXPECT_EQ(bench_.inb(kSlave + 1), 0x5a);
}

TEST_F(I8259Test, AWordWriteReachesBothPorts) {
  initialise();
  bench_.outw(kMaster, 0x7720);
  EXPECT_EQ(bench_.inb(kMaster + 1), 0x77);
}

TEST_F(I8259Test, ARisingEdgeRaisesIntrAndGivesItsVector) {
  initialise();
  set(1, true);
  EXPECT_TRUE(intr_);
  EXPECT_EQ(acknowledge(), 0x09);
  EXPECT_FALSE(intr_);
  EXPECT_EQ(isr(kMaster), 0x02);
}

TEST_F(I8259Test, TellsIntrOnItsOutputPin) {
  bool level = false;
  struct Probe {
    bool* level;
    void set(unsigned, bool l) { *level = l; }
  } probe{&level};
  device_.connect_gpio_out("intr", 0, Irq::to<&Probe::set>(probe, 0));
  initialise();
  set(1, true);
  EXPECT_TRUE(level);
}

TEST_F(I8259Test, AHeldEdgeInterruptsOnce) {
  initialise();
  set(1, true);
  acknowledge();
  bench_.outb(kMaster, 0x20);
  EXPECT_FALSE(intr_);
  EXPECT_EQ(irr(kMaster), 0);
}

TEST_F(I8259Test, AnEdgeIsGoneWhenThePinFallsBeforeTheAcknowledge) {
  initialise();
  pulse(3);
  EXPECT_EQ(irr(kMaster), 0);
  EXPECT_FALSE(intr_);
  bench_.outb(kMaster, 0x0c);
  EXPECT_EQ(bench_.inb(kMaster) & 0x80, 0);
}

// A disk's IDENTIFY raises IRQ 14, and reading its status takes it away again.
TEST_F(I8259Test, ASlaveEdgeThatIsWithdrawnTakesTheMastersRequestWithIt) {
  initialise_chip(kMaster, 0x20, 0x04, 0x01);
  initialise_chip(kSlave, 0x28, 0x02, 0x01);
  set(14, true);
  EXPECT_EQ(irr(kSlave), 0x40);
  EXPECT_EQ(irr(kMaster), 0x04);
  set(14, false);
  EXPECT_EQ(irr(kSlave), 0);
  EXPECT_EQ(irr(kMaster), 0);
  EXPECT_FALSE(intr_);
  bench_.outb(kSlave, 0x0c);
  EXPECT_EQ(bench_.inb(kSlave) & 0x80, 0);
}

TEST_F(I8259Test, AnAcknowledgeThatComesAfterTheEdgeHasGoneIsTheMastersSpuriousOne) {
  initialise_chip(kMaster, 0x20, 0x04, 0x01);
  initialise_chip(kSlave, 0x28, 0x02, 0x01);
  set(14, true);
  EXPECT_TRUE(intr_);
  set(14, false);
  EXPECT_EQ(acknowledge(), 0x27);
  EXPECT_EQ(isr(kMaster), 0);
  EXPECT_EQ(isr(kSlave), 0);
}

TEST_F(I8259Test, AMaskedEdgeIsWithdrawnAsWell) {
  initialise();
  bench_.outb(kMaster + 1, 0x08);
  pulse(3);
  bench_.outb(kMaster + 1, 0x00);
  EXPECT_FALSE(intr_);
}

TEST_F(I8259Test, AnEdgeInServiceMayFallAndRiseAgain) {
  initialise();
  set(3, true);
  acknowledge();
  set(3, false);
  set(3, true);
  bench_.outb(kMaster, 0x20);
  EXPECT_EQ(acknowledge(), 0x0b);
}

TEST_F(I8259Test, AMaskedRequestWaitsForItsMask) {
  initialise();
  bench_.outb(kMaster + 1, 0x02);
  set(1, true);
  EXPECT_FALSE(intr_);
  EXPECT_EQ(irr(kMaster), 0x02);
  bench_.outb(kMaster + 1, 0x00);
  EXPECT_TRUE(intr_);
}

TEST_F(I8259Test, SlaveInterruptsGoThroughTheMastersInput2) {
  initialise();
  set(12, true);
  EXPECT_EQ(irr(kMaster), 0x04);
  EXPECT_EQ(acknowledge(), 0x74);
  EXPECT_EQ(isr(kMaster), 0x04);
  EXPECT_EQ(isr(kSlave), 0x10);
}

TEST_F(I8259Test, Pin2IsTheCascadesAlone) {
  initialise();
  set(2, true);
  EXPECT_EQ(irr(kMaster), 0);
  EXPECT_FALSE(intr_);
}

TEST_F(I8259Test, ServesTheHighestPriorityFirst) {
  initialise();
  set(4, true);
  set(3, true);
  EXPECT_EQ(acknowledge(), 0x0b);
}

TEST_F(I8259Test, AHigherPriorityNestsAndALowerOneWaits) {
  initialise();
  set(4, true);
  acknowledge();
  set(5, true);
  EXPECT_FALSE(intr_);
  set(3, true);
  EXPECT_TRUE(intr_);
  EXPECT_EQ(acknowledge(), 0x0b);
  bench_.outb(kMaster, 0x20);
  EXPECT_EQ(isr(kMaster), 0x10);
  bench_.outb(kMaster, 0x20);
  EXPECT_EQ(acknowledge(), 0x0d);
}

TEST_F(I8259Test, TwoSlaveInterruptsFollowEachOther) {
  initialise();
  set(10, true);
  set(9, true);
  EXPECT_EQ(acknowledge(), 0x71);
  bench_.outb(kSlave, 0x20);
  bench_.outb(kMaster, 0x20);
  EXPECT_TRUE(intr_);
  EXPECT_EQ(acknowledge(), 0x72);
}

TEST_F(I8259Test, TheUnspecificEoiEndsTheHighestInService) {
  initialise();
  set(5, true);
  acknowledge();
  set(1, true);
  acknowledge();
  bench_.outb(kMaster, 0x20);
  EXPECT_EQ(isr(kMaster), 0x20);
}

TEST_F(I8259Test, TheSpecificEoiEndsTheNamedOne) {
  initialise();
  set(5, true);
  acknowledge();
  set(1, true);
  acknowledge();
  bench_.outb(kMaster, 0x65);
  EXPECT_EQ(isr(kMaster), 0x02);
}

TEST_F(I8259Test, GivesTheSpuriousVectorWhenNothingIsPending) {
  initialise();
  EXPECT_EQ(acknowledge(), 0x0f);
  EXPECT_EQ(isr(kMaster), 0);
}

TEST_F(I8259Test, ALevelThatGoesBeforeTheAcknowledgeIsSpurious) {
  initialise();
  bench_.outb(kElcr, 0x20);
  set(5, true);
  set(5, false);
  EXPECT_FALSE(intr_);
  EXPECT_EQ(acknowledge(), 0x0f);
}

TEST_F(I8259Test, ASlaveRequestThatGoesTakesTheMastersWithIt) {
  initialise();
  bench_.outb(kElcr + 1, 0x08);
  set(11, true);
  set(11, false);
  EXPECT_EQ(irr(kMaster), 0);
  EXPECT_FALSE(intr_);
}

TEST_F(I8259Test, TheElcrTakesOnlyLinesThatCanBeLevels) {
  bench_.outb(kElcr, 0xff);
  bench_.outb(kElcr + 1, 0xff);
  EXPECT_EQ(bench_.inb(kElcr), 0xf8);
  EXPECT_EQ(bench_.inb(kElcr + 1), 0xde);
}

TEST_F(I8259Test, ALevelInterruptsAgainUntilItGoes) {
  initialise();
  bench_.outb(kElcr, 0x20);
  set(5, true);
  EXPECT_EQ(acknowledge(), 0x0d);
  bench_.outb(kMaster, 0x20);
  EXPECT_TRUE(intr_);
  acknowledge();
  set(5, false);
  bench_.outb(kMaster, 0x20);
  EXPECT_FALSE(intr_);
}

TEST_F(I8259Test, ALineThatBecomesALevelIsSeenAtOnce) {
  initialise();
  set(5, true);
  acknowledge();
  bench_.outb(kMaster, 0x20);
  bench_.outb(kElcr, 0x20);
  EXPECT_TRUE(intr_);
}

TEST_F(I8259Test, Icw1ForgetsMaskServiceAndEdges) {
  initialise();
  bench_.outb(kMaster + 1, 0xf0);
  set(1, true);
  acknowledge();
  set(3, true);
  bench_.outb(kMaster, 0x11);
  EXPECT_EQ(irr(kMaster), 0);
  EXPECT_EQ(isr(kMaster), 0);
  bench_.outb(kMaster + 1, 0x20);
  bench_.outb(kMaster + 1, 0x04);
  bench_.outb(kMaster + 1, 0x01);
  EXPECT_EQ(bench_.inb(kMaster + 1), 0);
}

TEST_F(I8259Test, AfterIcw1AHighPinMustRiseAnew) {
  initialise();
  set(1, true);
  initialise();
  EXPECT_FALSE(intr_);
  set(1, false);
  set(1, true);
  EXPECT_TRUE(intr_);
}

TEST_F(I8259Test, WithoutIcw4InitialisationEndsAfterIcw3) {
  initialise(0x03);
  bench_.outb(kMaster, 0x10);
  bench_.outb(kMaster + 1, 0x40);
  bench_.outb(kMaster + 1, 0x04);
  bench_.outb(kMaster + 1, 0x0f);
  EXPECT_EQ(bench_.inb(kMaster + 1), 0x0f);
  set(4, true);
  EXPECT_EQ(acknowledge(), 0x44);
  EXPECT_EQ(isr(kMaster), 0x10);
}

TEST_F(I8259Test, ASingleChipTakesNoIcw3) {
  bench_.outb(kMaster, 0x12);
  bench_.outb(kMaster + 1, 0x40);
  bench_.outb(kMaster + 1, 0x55);
  EXPECT_EQ(bench_.inb(kMaster + 1), 0x55);
}

TEST_F(I8259Test, TellsOfIntrOnlyWhenItChanges) {
  initialise();
  set(3, true);
  const unsigned before = changes_;
  set(4, true);
  EXPECT_EQ(changes_, before);
}

TEST_F(I8259Test, ResetForgetsRequests) {
  initialise();
  bench_.outb(kElcr, 0x20);
  set(3, true);
  bench_.reset();
  EXPECT_FALSE(intr_);
  EXPECT_EQ(bench_.inb(kElcr), 0);
}

TEST_F(I8259Test, ASnapshotInServiceGoesOnWhereItWas) {
  initialise();
  bench_.outb(kMaster + 1, 0x80);
  set(5, true);
  acknowledge();
  set(12, true);
  const auto saved = bench_.save();
  bench_.reset();
  EXPECT_FALSE(intr_);

  ASSERT_TRUE(bench_.load(saved));

  EXPECT_TRUE(intr_);
  EXPECT_EQ(isr(kMaster), 0x20);
  EXPECT_EQ(acknowledge(), 0x74);
  EXPECT_EQ(bench_.inb(kMaster + 1), 0x80);
}

TEST_F(I8259Test, ASnapshotInTheMiddleOfInitialisationGoesOnThere) {
  initialise();
  bench_.outb(kMaster, 0x11);
  bench_.outb(kMaster + 1, 0x30);
  const auto saved = bench_.save();
  bench_.reset();

  ASSERT_TRUE(bench_.load(saved));

  bench_.outb(kMaster + 1, 0x04);
  bench_.outb(kMaster + 1, 0x01);
  set(1, true);
  EXPECT_EQ(acknowledge(), 0x31);
}

TEST_F(I8259Test, ADriverThatRepeatsItsLevelAfterALoadMakesNoNewEdge) {
  initialise();
  set(1, true);
  acknowledge();
  bench_.outb(kMaster, 0x20);
  const auto saved = bench_.save();
  ASSERT_TRUE(bench_.load(saved));
  set(1, true);
  EXPECT_FALSE(intr_);
}

}  // namespace
}  // namespace rhea::test
