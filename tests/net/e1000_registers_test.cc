// SPDX-License-Identifier: GPL-2.0-or-later
// e1000: interrupts, EEPROM, PHY, link, resets.
#include "tests/net/e1000_bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using namespace hw::e1000;
using namespace e1000_reg;
using testing::HasSubstr;

const FrameBytes kForCard = frame_to(kCardMac, 100);
constexpr i64 kNegotiated = 200'000'000;

class E1000Registers : public testing::Test {
 protected:
  u16 read_phy(unsigned reg) {
    e1000.set(kMdic, kMdicRead << 26 | 1 << 21 | reg << 16);
    EXPECT_NE(e1000.get(kMdic) & kMdicReady, 0u);
    return static_cast<u16>(e1000.get(kMdic));
  }
  void write_phy(unsigned reg, u16 value) {
    e1000.set(kMdic, kMdicWrite << 26 | 1 << 21 | reg << 16 | value);
  }
  u16 read_eeprom(unsigned address) {
    e1000.set(kEerd, address << 8 | kEepromReadStart);
    EXPECT_NE(e1000.get(kEerd) & kEepromReadDone, 0u);
    return static_cast<u16>(e1000.get(kEerd) >> 16);
  }
  bool link() { return (e1000.get(kStatus) & kStatusLinkUp) != 0; }

  // The EEPROM by its wires.
  void wires(bool data) {
    const u32 base = kEepromSelect | (data ? kEepromDataIn : 0);
    e1000.set(kEecd, base);
    e1000.set(kEecd, base | kEepromClock);
  }
  void shift_out(u32 value, unsigned bits) {
    for (unsigned n = bits; n-- > 0;) wires((value >> n & 1) != 0);
  }
  u16 shift_in() {
    u16 value = 0;
    for (unsigned n = 0; n < 16; ++n) {
      wires(false);
      value = static_cast<u16>(value << 1 | ((e1000.get(kEecd) & kEepromDataOut) != 0));
    }
    return value;
  }
  void deselect() { e1000.set(kEecd, 0); }

  E1000Bench e1000;
};

TEST_F(E1000Registers, IsTheCardThatItSays) {
  EXPECT_EQ(e1000.bench.config_read(3 << 3, 0, 4), 0x100e'8086u);
  EXPECT_EQ(e1000.bench.config_read(3 << 3, 8, 4), 0x0200'0003u);
  EXPECT_EQ(e1000.bench.config_read(3 << 3, 0x2c, 4), 0x1100'1af4u);
  const E1000Bench gc({}, "e1000-82544gc");
  EXPECT_EQ(gc.card->get("mac"), Value("52:54:00:12:34:56"));
}

TEST_F(E1000Registers, AddressComesFromTheEeprom) {
  EXPECT_EQ(e1000.get(kRal), 0x1200'5452u);
  EXPECT_EQ(e1000.get(kRah), 0x8000'5634u);
  EXPECT_EQ(read_eeprom(0), 0x5452);
  EXPECT_EQ(read_eeprom(2), 0x5634);
}

TEST_F(E1000Registers, EepromsSumIsRight) {
  u16 sum = 0;
  for (unsigned n = 0; n < 64; ++n) sum = static_cast<u16>(sum + read_eeprom(n));
  EXPECT_EQ(sum, 0xbaba);
}

TEST_F(E1000Registers, EepromIsReadByItsWires) {
  e1000.set(kEecd, kEepromRequest);
  EXPECT_NE(e1000.get(kEecd) & kEepromGrant, 0u);
  e1000.set(kEecd, kEepromSelect);
  shift_out(0b110'000001, 9);
  EXPECT_EQ(e1000.get(kEecd) & kEepromDataOut, 0u);
  EXPECT_EQ(shift_in(), 0x1200);
  EXPECT_EQ(shift_in(), 0x5634);
}

TEST_F(E1000Registers, EepromIsWrittenWhenThatIsAllowed) {
  e1000.set(kEecd, kEepromSelect);
  shift_out(0b101'010000, 9);
  shift_out(0x1234, 16);
  deselect();
  EXPECT_EQ(read_eeprom(16), 0xffff);
  e1000.set(kEecd, kEepromSelect);
  shift_out(0b100'110000, 9);
  deselect();
  e1000.set(kEecd, kEepromSelect);
  shift_out(0b101'010000, 9);
  shift_out(0x1234, 16);
  deselect();
  EXPECT_EQ(read_eeprom(16), 0x1234);
  e1000.set(kEecd, kEepromSelect);
  EXPECT_NE(e1000.get(kEecd) & kEepromDataOut, 0u);
  shift_out(0b111'010000, 9);
  deselect();
  EXPECT_EQ(read_eeprom(16), 0xffff);
}

TEST_F(E1000Registers, CausesInterruptWhenTheyAreNotMasked) {
  e1000.set(kIcs, kIntReceived);
  EXPECT_FALSE(e1000.bench.intx(3));
  e1000.set(kIms, kIntReceived | kIntLink);
  EXPECT_TRUE(e1000.bench.intx(3));
  EXPECT_EQ(e1000.get(kIcs), kIntReceived);
  EXPECT_EQ(e1000.get(kIcr), kIntReceived);
  EXPECT_EQ(e1000.get(kIcr), 0u);
  EXPECT_FALSE(e1000.bench.intx(3));
  e1000.set(kIcs, kIntLink | kIntSent);
  e1000.set(kIcr, kIntLink);
  EXPECT_FALSE(e1000.bench.intx(3));
  e1000.set(kIcs, kIntLink);
  e1000.set(kImc, kIntLink);
  EXPECT_FALSE(e1000.bench.intx(3));
  EXPECT_EQ(e1000.get(kIms), kIntReceived);
}

TEST_F(E1000Registers, InterruptsKeepTheirDistance) {
  e1000.set(kItr, 1000);
  e1000.set(kIms, kIntReceived);
  e1000.set(kIcs, kIntReceived);
  EXPECT_TRUE(e1000.bench.intx(3));
  e1000.get(kIcr);
  e1000.set(kIcs, kIntReceived);
  e1000.bench.advance(255'999);
  EXPECT_FALSE(e1000.bench.intx(3));
  e1000.bench.advance(1);
  EXPECT_TRUE(e1000.bench.intx(3));
}

TEST_F(E1000Registers, ModerationCanBeSwitchedOff) {
  E1000Bench plain(Properties{{"mitigation", "off"}});
  plain.set(kItr, 1000);
  plain.set(kIms, kIntReceived);
  plain.set(kIcs, kIntReceived);
  plain.get(kIcr);
  plain.set(kIcs, kIntReceived);
  EXPECT_TRUE(plain.bench.intx(3));
}

TEST_F(E1000Registers, SentFramesInterruptAfterTheirDelay) {
  e1000.start();
  e1000.set(kTidv, 50);
  e1000.queue_legacy(kForCard, kSendDelay);
  ASSERT_TRUE(e1000.send());
  EXPECT_EQ(e1000.get(kIcr) & kIntSent, 0u);
  e1000.bench.advance(52'000);
  EXPECT_EQ(e1000.get(kIcr) & kIntSent, kIntSent);
  e1000.queue_legacy(kForCard);
  ASSERT_TRUE(e1000.send());
  EXPECT_EQ(e1000.get(kIcr) & kIntSent, kIntSent);
}

TEST_F(E1000Registers, FramesInterruptFromTheirThread) {
  e1000.start();
  e1000.set(kIms, kIntReceived);
  ASSERT_TRUE(e1000.give({kForCard}));
  EXPECT_TRUE(e1000.interrupt());
}

TEST_F(E1000Registers, PhyIsMarvells) {
  EXPECT_EQ(read_phy(2), 0x0141);
  EXPECT_EQ(read_phy(3), 0x0c20);
  EXPECT_EQ(read_phy(1), 0x796d);
  EXPECT_EQ(read_phy(17), 0xac00);
}

TEST_F(E1000Registers, MdicTellsOfErrorsAndEnds) {
  e1000.set(kMdic, kMdicRead << 26 | 2 << 21);
  EXPECT_NE(e1000.get(kMdic) & kMdicError, 0u);
  e1000.set(kMdic, kMdicInterrupt | kMdicRead << 26 | 1 << 21);
  EXPECT_EQ(e1000.get(kIcr), kIntMdio);
}

TEST_F(E1000Registers, NegotiationTakesTheLinkAway) {
  write_phy(0, 0x1340);
  EXPECT_FALSE(link());
  EXPECT_EQ(e1000.get(kIcr), kIntLink);
  EXPECT_EQ(read_phy(1) & 0x24, 0);
  e1000.bench.advance(kNegotiated);
  EXPECT_TRUE(link());
  EXPECT_EQ(e1000.get(kIcr), kIntLink);
  EXPECT_EQ(read_phy(1) & 0x24, 0x20);
  EXPECT_EQ(read_phy(1) & 0x24, 0x24);
}

TEST_F(E1000Registers, NegotiationMayTakeNoTime) {
  E1000Bench quick(Properties{{"autonegotiation", "off"}});
  quick.set(kMdic, kMdicWrite << 26 | 1 << 21 | 0x1340);
  EXPECT_NE(quick.get(kStatus) & kStatusLinkUp, 0u);
}

TEST_F(E1000Registers, CableComesAndGoes) {
  e1000.peer.netdev().set_link(false);
  EXPECT_FALSE(link());
  EXPECT_EQ(e1000.get(kIcr), kIntLink);
  e1000.peer.netdev().set_link(true);
  e1000.bench.advance(kNegotiated);
  EXPECT_TRUE(link());
  EXPECT_EQ(e1000.get(kIcr), kIntLink);
}

TEST_F(E1000Registers, LinkNeedsToBeSetUp) {
  e1000.set(kCtrl, e1000.get(kCtrl) & ~kSetLinkUp);
  EXPECT_FALSE(link());
  e1000.set(kCtrl, e1000.get(kCtrl) | kSetLinkUp);
  EXPECT_TRUE(link());
}

TEST_F(E1000Registers, CardWithoutBackEndHasNoLink) {
  Bench bench;
  bench.add("e1000", {{"addr", "3"}, {"romfile", ""}});
  bench.config_write(3 << 3, pci::kBar0, E1000Bench::kMmio, 4);
  bench.config_write(3 << 3, pci::kCommand, 7, 2);
  EXPECT_EQ(bench.load(E1000Bench::kMmio + kStatus, 4) & kStatusLinkUp, 0u);
}

TEST_F(E1000Registers, ResetOfTheMacLeavesThePhy) {
  write_phy(9, 0x0100);
  e1000.start();
  e1000.set(kIms, kIntLink);
  e1000.set(kRal, 1);
  e1000.set(kCtrl, e1000.get(kCtrl) | kReset);
  EXPECT_EQ(e1000.get(kRctl), 0u);
  EXPECT_EQ(e1000.get(kIms), 0u);
  EXPECT_EQ(e1000.get(kTdlen), 0u);
  EXPECT_EQ(e1000.get(kCtrl), kControlReset);
  EXPECT_EQ(e1000.get(kRal), 0x1200'5452u);
  EXPECT_EQ(read_phy(9), 0x0100);
  EXPECT_TRUE(link());
}

TEST_F(E1000Registers, ResetOfThePhyNegotiates) {
  write_phy(9, 0x0100);
  e1000.set(kCtrl, e1000.get(kCtrl) | kPhyReset);
  EXPECT_EQ(read_phy(9), 0x0300);
  EXPECT_FALSE(link());
  e1000.bench.advance(kNegotiated);
  EXPECT_TRUE(link());
}

TEST_F(E1000Registers, ResetByTheBusDropsWhatIsOnItsWay) {
  e1000.start();
  e1000.peer.room_for(0);
  e1000.queue_legacy(kForCard);
  ASSERT_TRUE(e1000.send());
  e1000.bench.reset();
  e1000.peer.room_for(10);
  e1000.settle();
  EXPECT_TRUE(e1000.peer.take_all().empty());
}

TEST_F(E1000Registers, PortsShowTheRegisters) {
  e1000.bench.outl(E1000Bench::kPorts, kRal);
  EXPECT_EQ(e1000.bench.inl(E1000Bench::kPorts + 4), 0x1200'5452u);
  e1000.bench.outl(E1000Bench::kPorts, kItr);
  e1000.bench.outl(E1000Bench::kPorts + 4, 77);
  EXPECT_EQ(e1000.get(kItr), 77u);
  e1000.bench.outl(E1000Bench::kPorts, 0x8'0000);
  EXPECT_EQ(e1000.bench.inl(E1000Bench::kPorts + 4), 0u);
}

TEST_F(E1000Registers, PacketBufferIsMemory) {
  e1000.set(0x1'fffc, 0x1234'5678);
  EXPECT_EQ(e1000.get(0x1'fffc), 0x1234'5678u);
  e1000.set(kPba, 0x20);
  EXPECT_EQ(e1000.get(kPba) & 0xffff, 0x20u);
}

TEST_F(E1000Registers, StateIsTheSameAfterALoad) {
  e1000.start();
  e1000.set(kRdtr, 100);
  e1000.set(kItr, 1000);
  write_phy(0, 0x1340);
  ASSERT_TRUE(e1000.give({kForCard}));
  const auto saved = e1000.bench.save();
  E1000Bench other;
  ASSERT_TRUE(other.bench.load(saved));
  EXPECT_EQ(other.bench.save(), saved);
}

TEST_F(E1000Registers, GroupAddressIsRefused) {
  const auto card = e1000.bench.try_add("e1000", {{"mac", "01:00:00:00:00:00"}, {"romfile", ""}});
  ASSERT_FALSE(card);
  EXPECT_THAT(card.error().message(), HasSubstr("group"));
}

}  // namespace
}  // namespace rhea::test
