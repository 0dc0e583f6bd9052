// SPDX-License-Identifier: GPL-2.0-or-later
// rtl8139: registers, EEPROM, interrupts, timer, link, resets.
#include "rhea/net/net_port.h"
#include "tests/net/rtl8139_bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using namespace hw::rtl8139;
using namespace rtl_reg;

class Rtl8139Registers : public testing::Test {
 protected:
  void wires(bool data) {
    const u8 base = kModeProgram | kEepromSelect | (data ? kEepromDataIn : 0);
    rtl.set(k9346cr, base, 1);
    rtl.set(k9346cr, base | kEepromClock, 1);
  }
  void shift_out(u32 value, unsigned bits) {
    for (unsigned n = bits; n-- > 0;) wires((value >> n & 1) != 0);
  }
  u16 shift_in() {
    u16 value = 0;
    for (unsigned n = 0; n < 16; ++n) {
      wires(false);
      value = static_cast<u16>(value << 1 | (rtl.get(k9346cr, 1) & kEepromDataOut));
    }
    return value;
  }
  u16 read_eeprom(unsigned address) {
    rtl.set(k9346cr, kModeProgram, 1);
    rtl.set(k9346cr, kModeProgram | kEepromSelect, 1);
    shift_out(0b110'000000 | address, 9);
    const u16 word = shift_in();
    rtl.set(k9346cr, 0, 1);
    return word;
  }
  void write_eeprom(unsigned address, u16 word) {
    rtl.set(k9346cr, kModeProgram | kEepromSelect, 1);
    shift_out(0b100'110000, 9);
    rtl.set(k9346cr, kModeProgram, 1);
    rtl.set(k9346cr, kModeProgram | kEepromSelect, 1);
    shift_out(0b101'000000 | address, 9);
    shift_out(word, 16);
    rtl.set(k9346cr, 0, 1);
  }
  Rtl8139Bench rtl;
};

TEST_F(Rtl8139Registers, IsTheCardThatItSays) {
  EXPECT_EQ(rtl.bench.config_read(3 << 3, 0, 4), 0x8139'10ecu);
  EXPECT_EQ(rtl.bench.config_read(3 << 3, 8, 4), 0x0200'0020u);
  EXPECT_EQ(rtl.bench.config_read(3 << 3, 0x2c, 4), 0x1100'1af4u);
  EXPECT_EQ(rtl.get(kTcr) & 0x7cc0'0000, kVersion);
}

TEST_F(Rtl8139Registers, MemoryShowsWhatPortsDo) {
  EXPECT_EQ(rtl.bench.load(Rtl8139Bench::kMmio, 4), 0x1200'5452u);
  rtl.bench.store(Rtl8139Bench::kMmio + kMar, 0x1234'5678, 4);
  EXPECT_EQ(rtl.get(kMar), 0x1234'5678u);
  EXPECT_EQ(rtl.get(kMar + 2, 2), 0x1234u);
  EXPECT_EQ(rtl.get(kMar + 1, 1), 0x56u);
}

TEST_F(Rtl8139Registers, AddressComesFromTheEeprom) {
  EXPECT_EQ(rtl.get(kIdr), 0x1200'5452u);
  EXPECT_EQ(rtl.get(kIdr + 4, 2), 0x5634u);
  EXPECT_EQ(read_eeprom(0), 0x8129);
  EXPECT_EQ(read_eeprom(1), 0x10ec);
  EXPECT_EQ(read_eeprom(7), 0x5452);
  EXPECT_EQ(read_eeprom(9), 0x5634);
}

TEST_F(Rtl8139Registers, WhatIsWrittenIntoTheEepromIsLoadedOnDemand) {
  write_eeprom(7, 0xbbaa);
  EXPECT_EQ(rtl.get(kIdr, 2), 0x5452u);
  rtl.set(k9346cr, kModeLoad, 1);
  EXPECT_EQ(rtl.get(k9346cr, 1), 0u);
  EXPECT_EQ(rtl.get(kIdr, 2), 0xbbaau);
  rtl.bench.reset();
  rtl.map();
  EXPECT_EQ(rtl.get(kIdr, 2), 0xbbaau);
}

TEST_F(Rtl8139Registers, ConfigurationIsLocked) {
  rtl.set(kConfig1, 0xff, 1);
  rtl.set(kConfig4, 0x55, 1);
  rtl.set(kBmcr, 0, 2);
  EXPECT_EQ(rtl.get(kConfig1, 1), 0x0cu);
  EXPECT_EQ(rtl.get(kConfig4, 1), 0u);
  EXPECT_EQ(rtl.get(kBmcr, 2), kPhyDefaults);
  rtl.set(k9346cr, kModeConfig, 1);
  rtl.set(kConfig1, 0xf0, 1);
  rtl.set(kConfig3, 0xff, 1);
  rtl.set(kConfig4, 0x55, 1);
  rtl.set(kBmcr, kPhyFullDuplex, 2);
  EXPECT_EQ(rtl.get(kConfig1, 1), 0xfcu);
  EXPECT_EQ(rtl.get(kConfig3, 1), 0xf1u);
  EXPECT_EQ(rtl.get(kConfig4, 1), 0x55u);
  EXPECT_EQ(rtl.get(kBmcr, 2), kPhyFullDuplex);
  rtl.set(kBmcr, kPhyReset, 2);
  EXPECT_EQ(rtl.get(kBmcr, 2), kPhyDefaults);
}

TEST_F(Rtl8139Registers, CausesInterruptWhenTheyAreNotMasked) {
  rtl.poll(kPollSoftware);
  EXPECT_EQ(rtl.causes(), kIntSoftware);
  EXPECT_FALSE(rtl.bench.intx(3));
  rtl.set(kImr, kIntSoftware, 2);
  EXPECT_TRUE(rtl.bench.intx(3));
  rtl.set(kIsr, kIntSent, 2);
  EXPECT_TRUE(rtl.bench.intx(3));
  rtl.set(kIsr, kIntSoftware, 2);
  EXPECT_FALSE(rtl.bench.intx(3));
  EXPECT_EQ(rtl.causes(), 0);
}

TEST_F(Rtl8139Registers, TimerCountsAndInterruptsOnce) {
  rtl.set(kTctr, 0);
  rtl.bench.advance(3000);
  EXPECT_EQ(rtl.get(kTctr), 100u);
  rtl.set(kTimerInt, 200);
  rtl.bench.advance(2999);
  EXPECT_EQ(rtl.causes(), 0);
  rtl.bench.advance(1);
  EXPECT_EQ(rtl.take_causes(), kIntTimer);
  rtl.bench.advance(100'000'000);
  EXPECT_EQ(rtl.causes(), 0);
  rtl.bench.advance(i64{30} << 32);
  EXPECT_EQ(rtl.causes(), kIntTimer);
}

TEST_F(Rtl8139Registers, WithoutATimeThereIsNoTimerInterrupt) {
  rtl.set(kTctr, 0);
  rtl.set(kTimerInt, 100);
  rtl.set(kTimerInt, 0);
  rtl.bench.advance(1'000'000);
  EXPECT_EQ(rtl.causes(), 0);
}

TEST_F(Rtl8139Registers, CableComesAndGoes) {
  EXPECT_EQ(rtl.get(kMsr, 1) & kMediaLinkDown, 0u);
  EXPECT_EQ(rtl.get(kBmsr, 2), 0x782du);
  rtl.peer.netdev().set_link(false);
  EXPECT_TRUE(rtl.cause(kIntLink));
  EXPECT_NE(rtl.get(kMsr, 1) & kMediaLinkDown, 0u);
  EXPECT_EQ(rtl.get(kBmsr, 2), 0x7809u);
  EXPECT_EQ(rtl.get(kDis, 2), 1u);
  EXPECT_EQ(rtl.get(kDis, 2), 0u);
  rtl.take_causes();
  rtl.peer.netdev().set_link(true);
  EXPECT_TRUE(rtl.cause(kIntLink));
  EXPECT_EQ(rtl.get(kBmsr, 2), 0x782du);
}

TEST_F(Rtl8139Registers, SoftwareResetKeepsAddressesAndStopsTheRest) {
  rtl.start();
  rtl.set(kMar, 0x1234'5678);
  rtl.set(kIdr, 0x4433'2211);
  rtl.set(kImr, 0xffff, 2);
  rtl.poll(kPollSoftware);
  rtl.set(kCr, kReset, 1);
  EXPECT_EQ(rtl.get(kCr, 1), kBufferEmpty);
  EXPECT_EQ(rtl.get(kMar), 0x1234'5678u);
  EXPECT_EQ(rtl.get(kIdr), 0x4433'2211u);
  EXPECT_EQ(rtl.get(kImr), 0u);
  EXPECT_EQ(rtl.get(kTsd), kSendOwn);
  EXPECT_EQ(rtl.get(kCapr, 2), 0xfff0u);
  EXPECT_EQ(rtl.get(kSummary, 2), 0x000fu);
  EXPECT_FALSE(rtl.bench.intx(3));
}

TEST_F(Rtl8139Registers, MonitorsSeeItsFilter) {
  rtl.start(Rtl8139Bench::kUsual | kAllPhysical);
  rtl.set(kMar, ~0u);
  rtl.set(kMar + 4, ~0u);
  const NetPort& port = *rtl.bench.machine().service<NetPorts>().all().at(0);
  const RxFilterState filter = *port.filter();
  EXPECT_TRUE(filter.promiscuous);
  EXPECT_TRUE(filter.broadcast);
  EXPECT_EQ(filter.multicast, RxFilterState::Kind::All);
  EXPECT_EQ(filter.main.text(), "52:54:00:12:34:56");
}

TEST_F(Rtl8139Registers, CountersAreDumpedIntoMemory) {
  rtl.start_plus();
  ASSERT_TRUE(rtl.give({frame_to(kCardMac, 100), FrameBytes(60, 0xff)}));
  rtl.put_frame(Rtl8139Bench::kNormalRing, 0, frame_to(kPeerMac, 100));
  rtl.poll();
  ASSERT_TRUE(rtl.peer.take());
  rtl.peer.settle();
  rtl.set(kTsd + 4, 0);
  rtl.set(kTsd, 0x8000 | kDump);
  EXPECT_EQ(rtl.get(kTsd), 0x8000u);
  EXPECT_EQ(rtl.bench.load(0x8000, 8), 1u);
  EXPECT_EQ(rtl.bench.load(0x8008, 8), 2u);
  EXPECT_EQ(rtl.bench.load(0x8028, 8), 1u);
  EXPECT_EQ(rtl.bench.load(0x8030, 8), 1u);
}

TEST_F(Rtl8139Registers, StateSurvivesASnapshot) {
  rtl.start_plus(kPlusSums);
  rtl.set(kTimerInt, 5000);
  rtl.poll(kPollSoftware);
  ASSERT_TRUE(rtl.give({frame_to(kCardMac, 100)}));
  rtl.bench.machine().pause();
  const auto saved = rtl.bench.save();
  rtl.bench.reset();
  ASSERT_TRUE(rtl.bench.load(saved));
  EXPECT_EQ(rtl.bench.save(), saved);
  rtl.bench.machine().resume();
  EXPECT_EQ(rtl.causes(), kIntSoftware | kIntReceived);
  ASSERT_TRUE(rtl.give({frame_to(kCardMac, 101)}));
  EXPECT_EQ(rtl.words(Rtl8139Bench::kReceiveRing, 1).command & 0x3fff, 105u);
}

}  // namespace
}  // namespace rhea::test
