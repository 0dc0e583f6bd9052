// SPDX-License-Identifier: GPL-2.0-or-later
// The pc board asleep: what it falls asleep by, what wakes it, and what it then tells its firmware.
#include "rhea/hw/pci.h"
#include "rhea/softmmu/suspension.h"
#include "rhea/ui/input.h"
#include "tests/support/pc.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr unsigned kPmDevice = 1 << 3 | 3;
constexpr u16 kPm1Status = 0x600, kPm1Enable = kPm1Status + 2, kPm1Control = kPm1Status + 4;
constexpr u16 kPwrbtn = 0x0100, kRtc = 0x0400, kWake = 0x8000;
constexpr u8 kRegB = 0x0b, kShutdownStatus = 0x0f, kAlarmEnable = 0x20;
constexpr KeyNumber kSpace = 0x39;

class PcSuspend : public ::testing::Test {
 protected:
  PcSuspend() {
    machine.resume();
    auto& bus = *static_cast<PciBus*>(machine.find_bus("PCI"));
    bus.config_write(kPmDevice, 0x40, kPm1Status | 1, 4);
    bus.config_write(kPmDevice, 0x80, 1, 1);
  }
  void sleep() {
    constexpr u16 kToRam = 1 << 10, kSleepEnable = 1 << 13;
    machine.io().store(kPm1Control, kToRam | kSleepEnable, 2);
    machine.loop().iterate(false);
  }
  bool suspended() {
    machine.loop().iterate(false);
    return machine.run_state() == RunState::Suspended;
  }
  u16 status() { return static_cast<u16>(machine.io().load(kPm1Status, 2)); }
  u8 cmos(u8 index) {
    machine.io().store(0x70, index, 1);
    return static_cast<u8>(machine.io().load(0x71, 1));
  }
  void set_cmos(u8 index, u8 value) {
    machine.io().store(0x70, index, 1);
    machine.io().store(0x71, value, 1);
  }
  /// At the next full minute.
  void set_alarm() {
    constexpr u8 kAny = 0xc0;
    set_cmos(1, 0);
    set_cmos(3, kAny);
    set_cmos(5, kAny);
    set_cmos(kRegB, 0x02 | kAlarmEnable);
  }
  void pass_a_minute() {
    Clock& clock = machine.host_clock();
    clock.advance_to(clock.now_ns() + 60'000'000'000);
  }

  Pc pc;
  Machine& machine{pc.machine()};
};

TEST_F(PcSuspend, WakesByAResetThatMemoryOutlasts) {
  machine.memory().store(0x5000, 0x12345678, 4);
  machine.io().store(kPm1Enable, kPwrbtn, 2);
  sleep();
  ASSERT_TRUE(suspended());
  machine.service<Suspension>().wake(WakeSource::Other);
  EXPECT_FALSE(suspended());
  EXPECT_TRUE(machine.running());
  EXPECT_EQ(machine.memory().load(0x5000, 4), 0x12345678U);
  EXPECT_EQ(status(), kWake);
  EXPECT_EQ(cmos(kShutdownStatus), 0xfe);
}

TEST_F(PcSuspend, KeepsWhatLiesInThePowerManagementsResumeWell) {
  constexpr u16 kGlobalEnable = 0x0020, kGpe = 0xafe0, kToRam = 1 << 10, kSciEnable = 1;
  machine.io().store(kPm1Enable, kRtc | kPwrbtn | kGlobalEnable, 2);
  machine.io().store(kPm1Control, kSciEnable, 2);
  machine.io().store(kGpe + 2, 0x0a05, 2);
  sleep();
  ASSERT_TRUE(suspended());
  machine.service<Suspension>().wake(WakeSource::Other);
  EXPECT_FALSE(suspended());
  EXPECT_EQ(machine.io().load(kPm1Enable, 2), u64{kRtc | kPwrbtn});
  EXPECT_EQ(machine.io().load(kPm1Control, 2), u64{kToRam});
  EXPECT_EQ(machine.io().load(kGpe + 2, 2), 0x0a05U);
}

TEST_F(PcSuspend, AnAlarmThatIsEnabledWakesItFromTheNextSleepToo) {
  machine.io().store(kPm1Enable, kRtc, 2);
  sleep();
  ASSERT_TRUE(suspended());
  machine.service<Suspension>().wake(WakeSource::Other);
  ASSERT_FALSE(suspended());
  sleep();
  ASSERT_TRUE(suspended());
  machine.service<Suspension>().wake(WakeSource::RtcAlarm);
  EXPECT_FALSE(suspended());
  EXPECT_EQ(status(), kWake | kRtc);
}

TEST_F(PcSuspend, AnOrdinaryResetKeepsNothing) {
  machine.io().store(kPm1Enable, kRtc | kPwrbtn, 2);
  machine.reset_now(ShutdownCause::None, ResetKind::Warm);
  auto& bus = *static_cast<PciBus*>(machine.find_bus("PCI"));
  bus.config_write(kPmDevice, 0x40, kPm1Status | 1, 4);
  bus.config_write(kPmDevice, 0x80, 1, 1);
  EXPECT_EQ(machine.io().load(kPm1Enable, 2), 0U);
}

TEST_F(PcSuspend, TheFirmwaresShadowIsStillThereAfterwards) {
  constexpr unsigned kHost = 0, kPam0 = 0x59;
  auto& bus = *static_cast<PciBus*>(machine.find_bus("PCI"));
  bus.config_write(kHost, kPam0, 0x30, 1);
  machine.memory().store(0xf8000, 0x5a, 1);
  sleep();
  machine.service<Suspension>().wake(WakeSource::Other);
  ASSERT_FALSE(suspended());
  EXPECT_EQ(machine.memory().load(0xf8000, 1), 0x5aU);
}

TEST_F(PcSuspend, FirmwareHearsOfNoSleepThatWasNone) {
  machine.request_reset(ShutdownCause::GuestReset);
  machine.loop().iterate(false);
  EXPECT_EQ(cmos(kShutdownStatus), 0);
}

TEST_F(PcSuspend, IsEndedByAKey) {
  sleep();
  machine.service<InputHub>().key(kSpace, true);
  EXPECT_FALSE(suspended());
}

TEST_F(PcSuspend, IsEndedByThePowerButton) {
  sleep();
  machine.request_powerdown();
  machine.loop().iterate(false);
  EXPECT_FALSE(suspended());
  EXPECT_EQ(status(), kWake | kPwrbtn);
}

TEST_F(PcSuspend, IsEndedByAnAlarm) {
  set_alarm();
  machine.io().store(kPm1Enable, kRtc, 2);
  sleep();
  ASSERT_TRUE(suspended());
  pass_a_minute();
  EXPECT_FALSE(suspended());
  EXPECT_EQ(status(), kWake | kRtc);
}

TEST_F(PcSuspend, IsEndedByAnAlarmThatCameJustBefore) {
  set_alarm();
  machine.io().store(kPm1Enable, kRtc, 2);
  pass_a_minute();
  machine.loop().iterate(false);
  sleep();
  EXPECT_FALSE(suspended());
  EXPECT_EQ(status(), kWake | kRtc);
}

TEST_F(PcSuspend, IsNotEndedByAnAlarmThatIsNoEvent) {
  set_alarm();
  sleep();
  pass_a_minute();
  EXPECT_TRUE(suspended());
}

TEST_F(PcSuspend, IsEndedByAResetFromOutside) {
  sleep();
  machine.request_reset(ShutdownCause::HostQmpSystemReset, ResetKind::Cold);
  machine.loop().iterate(false);
  EXPECT_EQ(machine.run_state(), RunState::Prelaunch);
}

TEST_F(PcSuspend, NothingWakesWhatDoesNotSleep) {
  machine.service<Suspension>().wake(WakeSource::Other);
  machine.loop().iterate(false);
  EXPECT_EQ(status() & kWake, 0);
}

}  // namespace
}  // namespace rhea::test
