// SPDX-License-Identifier: GPL-2.0-or-later
// The PIIX4's power management: PM1, timer, sleeping, SMBus, APM ports.
#include "tests/pci/chipset.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr u16 kPmBase = 0x600, kStatus = kPmBase, kEnable = kPmBase + 2, kControl = kPmBase + 4,
              kTimer = kPmBase + 8, kGlobalControl = kPmBase + 0x28;
constexpr u16 kSmbus = 0x700, kGpe = 0xafe0;
constexpr i64 kSecond = 1'000'000'000;
// The timer's top bit changes every 2^23 ticks of 3.579545 MHz.
constexpr i64 kHalfPeriodNs = 2'343'484'438;

class Piix4Pm : public testing::Test {
 protected:
  Piix4Pm() {
    pc.set_config(Chipset::kPm, 0x40, kPmBase | 1);
    pc.set_config(Chipset::kPm, 0x80, 1, 1);
  }
  void enable_smbus(u8 config = 0x09) {
    pc.set_config(Chipset::kPm, 0x90, kSmbus | 1);
    pc.set_config(Chipset::kPm, 0xd2, config, 1);
    pc.set_config(Chipset::kPm, 0x04, 1, 2);
  }
  void sci_on() { pc.out(0xb2, 0xf1, 1); }
  u64 in16(u16 port) { return pc.in(port, 2); }
  Chipset pc;
};

TEST(Piix4PmReset, PortsAreOffUntilFirmwareEnablesThem) {
  Chipset pc;
  EXPECT_EQ(pc.config(Chipset::kPm, 0x00), 0x7113'8086u);
  EXPECT_EQ(pc.config(Chipset::kPm, 0x08), 0x0680'0003u);
  EXPECT_EQ(pc.config(Chipset::kPm, 0x40), 1u);
  EXPECT_EQ(pc.config(Chipset::kPm, 0x58), 0u);
  pc.set_config(Chipset::kPm, 0x40, kPmBase);
  EXPECT_EQ(pc.in(kTimer, 4), 0xffff'ffffu);
  pc.set_config(Chipset::kPm, 0x80, 1, 1);
  EXPECT_EQ(pc.in(kTimer, 4), 0u);
}

TEST_F(Piix4Pm, BaseMovesThePorts) {
  pc.set_config(Chipset::kPm, 0x40, 0xb000);
  EXPECT_EQ(pc.config(Chipset::kPm, 0x40), 0xb001u);
  EXPECT_EQ(pc.in(kStatus, 2), 0xffffu);
  EXPECT_EQ(pc.in(0xb000, 2), 0u);
}

TEST_F(Piix4Pm, TimerRunsAt3579545HzAndWrapsAt24Bits) {
  pc.advance(kSecond);
  EXPECT_EQ(pc.in(kTimer, 4), 3'579'545u);
  pc.advance(4 * kSecond);
  EXPECT_EQ(pc.in(kTimer, 4), (5 * 3'579'545u) & 0xff'ffff);
  EXPECT_EQ(pc.in(kTimer + 1, 1), ((5 * 3'579'545u) >> 8) & 0xff);
}

TEST_F(Piix4Pm, TimerOverflowSetsItsStatus) {
  pc.advance(kHalfPeriodNs - 1'000);
  EXPECT_EQ(in16(kStatus) & 1, 0u);
  pc.advance(2'000);
  EXPECT_EQ(in16(kStatus) & 1, 1u);
}

TEST_F(Piix4Pm, TimerOverflowInterruptsWhenEnabled) {
  sci_on();
  pc.out(kEnable, 0x0001, 2);
  pc.advance(kHalfPeriodNs - 1'000);
  EXPECT_FALSE(pc.sci);
  pc.advance(2'000);
  EXPECT_TRUE(pc.sci);
}

TEST_F(Piix4Pm, ClearingTheOverflowLowersTheLineUntilTheNext) {
  sci_on();
  pc.out(kEnable, 0x0001, 2);
  pc.advance(kHalfPeriodNs + 1'000);
  pc.out(kStatus, 0x0001, 2);
  EXPECT_FALSE(pc.sci);
  EXPECT_EQ(in16(kStatus), 0u);
  pc.advance(kHalfPeriodNs);
  EXPECT_TRUE(pc.sci);
}

TEST_F(Piix4Pm, NoInterruptInLegacyMode) {
  pc.out(kEnable, 0x0001, 2);
  pc.advance(kHalfPeriodNs + 1'000);
  EXPECT_FALSE(pc.sci);
  sci_on();
  EXPECT_TRUE(pc.sci);
}

TEST_F(Piix4Pm, EnableKeepsEventBitsOnlyAndTakesBytes) {
  pc.out(kEnable, 0xffff, 2);
  EXPECT_EQ(in16(kEnable), 0x0521u);
  pc.out(kEnable + 1, 0x01, 1);
  EXPECT_EQ(in16(kEnable), 0x0121u);
  EXPECT_EQ(pc.in(kStatus, 4), 0x0121'0000u);
}

TEST_F(Piix4Pm, PowerButtonSetsStatusAndInterrupts) {
  sci_on();
  pc.out(kEnable, 0x0100, 2);
  pc.machine.request_powerdown();
  pc.settle();
  EXPECT_EQ(in16(kStatus), 0x0100u);
  EXPECT_TRUE(pc.sci);
  pc.out(kStatus + 1, 0x01, 1);
  EXPECT_FALSE(pc.sci);
}

TEST_F(Piix4Pm, PowerButtonAfterUnplugIsHarmless) {
  ASSERT_TRUE(pc.pm->set_realized(false));
  pc.machine.request_powerdown();
  pc.settle();
  EXPECT_FALSE(pc.sci);
}

TEST_F(Piix4Pm, AcpiModeIsSwitchedThroughTheApmPort) {
  EXPECT_EQ(in16(kControl), 0u);
  pc.out(0xb2, 0xf1, 1);
  EXPECT_EQ(in16(kControl), 1u);
  pc.out(0xb2, 0xf0, 1);
  EXPECT_EQ(in16(kControl), 0u);
}

TEST_F(Piix4Pm, ApmPortsHoldWhatIsWritten) {
  pc.out(0xb2, 0x12, 1);
  pc.out(0xb3, 0x34, 1);
  EXPECT_EQ(pc.in(0xb2, 2), 0x3412u);
}

TEST_F(Piix4Pm, ApmWritesRaiseSmisWhenBothEnablesAreSet) {
  pc.out(0xb2, 0x12, 1);
  EXPECT_EQ(pc.smi, 0u);
  pc.set_config(Chipset::kPm, 0x58, 1U << 25);
  pc.out(0xb2, 0x12, 1);
  EXPECT_EQ(pc.smi, 0u);
  pc.out(kGlobalControl, 1, 4);
  pc.out(0xb2, 0x12, 1);
  EXPECT_EQ(pc.smi, 1u);
  pc.set_config(Chipset::kPm, 0x58, 0);
  pc.out(0xb2, 0x12, 1);
  EXPECT_EQ(pc.smi, 1u);
}

TEST_F(Piix4Pm, GlobalControlKeepsItsBitsUntilReset) {
  pc.out(kGlobalControl, 0xffffffff, 4);
  EXPECT_EQ(pc.in(kGlobalControl, 4), 0x0101ff07u);
  pc.reset();
  pc.set_config(Chipset::kPm, 0x40, 0x601);
  pc.set_config(Chipset::kPm, 0x80, 1, 1);
  EXPECT_EQ(pc.in(kGlobalControl, 4), 0u);
}

TEST(Piix4PmWithoutSmm, TellsFirmwareThatItIsSetUp) {
  Chipset pc(16 * MiB, 0, false);
  EXPECT_EQ(pc.config(Chipset::kPm, 0x58), 1U << 25);
  pc.set_config(Chipset::kPm, 0x40, 0x601);
  pc.set_config(Chipset::kPm, 0x80, 1, 1);
  pc.out(kGlobalControl, 1, 4);
  pc.out(0xb2, 0x12, 1);
  EXPECT_EQ(pc.smi, 0u);
}

TEST_F(Piix4Pm, SoftOffShutsDown) {
  pc.out(kControl, 0x2001, 2);
  pc.settle();
  EXPECT_EQ(pc.shutdowns, 1u);
  EXPECT_EQ(in16(kControl), 0x0001u);
}

TEST_F(Piix4Pm, ASleepTypeWithoutEnableDoesNothing) {
  pc.out(kControl, 0x0401, 2);
  pc.settle();
  EXPECT_EQ(pc.shutdowns, 0u);
  EXPECT_EQ(pc.machine.run_state(), RunState::Prelaunch);
  EXPECT_EQ(in16(kControl), 0x0401u);
}

TEST_F(Piix4Pm, SuspendToRamSuspends) {
  pc.out(kControl, 0x2401, 2);
  pc.settle();
  EXPECT_EQ(pc.machine.run_state(), RunState::Suspended);
}

TEST_F(Piix4Pm, SuspendToDiskShutsDown) {
  pc.out(kControl, 0x2801, 2);
  pc.settle();
  EXPECT_EQ(pc.shutdowns, 1u);
}

TEST_F(Piix4Pm, OtherSleepTypesDoNothing) {
  pc.out(kControl, 0x3c01, 2);
  pc.settle();
  EXPECT_EQ(pc.shutdowns, 0u);
  EXPECT_EQ(pc.machine.run_state(), RunState::Prelaunch);
}

TEST_F(Piix4Pm, GeneralPurposeEventsInterrupt) {
  sci_on();
  pc.out(kGpe + 2, 0x02, 1);
  pc.pm->gpio_in("gpe", 1).set(true);
  EXPECT_EQ(pc.in(kGpe, 4), 0x0002'0002u);
  EXPECT_TRUE(pc.sci);
  pc.out(kGpe, 0x02, 1);
  EXPECT_FALSE(pc.sci);
  EXPECT_EQ(pc.in(kGpe, 2), 0u);
}

TEST_F(Piix4Pm, HighGeneralPurposeEventsHaveTheirOwnBytes) {
  pc.pm->gpio_in("gpe", 9).set(true);
  pc.out(kGpe + 3, 0x82, 1);
  EXPECT_EQ(pc.in(kGpe, 4), 0x8200'0200u);
  pc.out(kGpe, 0xff, 1);
  EXPECT_EQ(pc.in(kGpe + 1, 1), 0x02u);
}

TEST_F(Piix4Pm, SmbusTransactionsFindNobody) {
  enable_smbus();
  pc.out(kSmbus + 4, 0xa1, 1);
  pc.out(kSmbus + 2, 0x48, 1);
  EXPECT_EQ(pc.in(kSmbus, 1), 0x04u);
  EXPECT_EQ(pc.in(kSmbus + 2, 1), 0x08u);
  pc.out(kSmbus, 0x04, 1);
  EXPECT_EQ(pc.in(kSmbus, 1), 0x00u);
}

TEST_F(Piix4Pm, SmbusInterruptsOnIrq9WhenAskedAndSelected) {
  enable_smbus();
  pc.out(kSmbus + 2, 0x41, 1);
  EXPECT_TRUE(pc.sci);
  pc.set_config(Chipset::kPm, 0xd2, 0x01, 1);
  EXPECT_FALSE(pc.sci);
}

TEST_F(Piix4Pm, SmbusBlockBufferIsReadBackInOrder) {
  enable_smbus();
  pc.in(kSmbus + 2, 1);
  pc.out(kSmbus + 7, 0x11, 1);
  pc.out(kSmbus + 7, 0x22, 1);
  pc.in(kSmbus + 2, 1);
  EXPECT_EQ(pc.in(kSmbus + 7, 1), 0x11u);
  EXPECT_EQ(pc.in(kSmbus + 7, 1), 0x22u);
}

TEST_F(Piix4Pm, SmbusPortsNeedBothEnables) {
  pc.set_config(Chipset::kPm, 0x90, kSmbus);
  pc.set_config(Chipset::kPm, 0xd2, 0x01, 1);
  EXPECT_EQ(pc.in(kSmbus, 1), 0xffu);
  pc.set_config(Chipset::kPm, 0x04, 1, 2);
  EXPECT_EQ(pc.in(kSmbus, 1), 0x00u);
  pc.set_config(Chipset::kPm, 0xd2, 0x00, 1);
  EXPECT_EQ(pc.in(kSmbus, 1), 0xffu);
}

TEST_F(Piix4Pm, ResetLeavesAcpiMode) {
  sci_on();
  pc.out(kEnable, 0x0100, 2);
  pc.machine.request_powerdown();
  pc.settle();
  pc.reset();
  EXPECT_FALSE(pc.sci);
  pc.set_config(Chipset::kPm, 0x40, kPmBase);
  pc.set_config(Chipset::kPm, 0x80, 1, 1);
  EXPECT_EQ(pc.in(kStatus, 4), 0u);
  EXPECT_EQ(in16(kControl), 0u);
}

TEST_F(Piix4Pm, SnapshotHoldsAPendingOverflowToCome) {
  sci_on();
  pc.out(kEnable, 0x0001, 2);
  pc.advance(kHalfPeriodNs - 1'000);
  const auto saved = pc.save();
  pc.reset();
  ASSERT_TRUE(pc.load(saved));
  EXPECT_EQ(pc.save(), saved);
  EXPECT_FALSE(pc.sci);
  pc.advance(2'000);
  EXPECT_TRUE(pc.sci);
}

TEST_F(Piix4Pm, SnapshotHoldsARaisedLine) {
  sci_on();
  pc.out(kEnable, 0x0100, 2);
  pc.machine.request_powerdown();
  pc.settle();
  const auto saved = pc.save();
  pc.reset();
  ASSERT_TRUE(pc.load(saved));
  EXPECT_TRUE(pc.sci);
  EXPECT_EQ(in16(kStatus), 0x0100u);
}

}  // namespace
}  // namespace rhea::test
