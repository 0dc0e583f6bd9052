// SPDX-License-Identifier: GPL-2.0-or-later
// The 16550A: registers, FIFOs, interrupts, loopback, snapshots.
#include "tests/legacy/serial_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

class SerialTest : public SerialBase {
 protected:
  SerialTest()
      : chardev_(FakeChardev::make(bench_, "fake0")),
        device_(bench_.add("isa-serial", {{"chardev", "fake0"}})) {}

  void set_divisor(u16 divisor, u8 format = 0x03) {
    write(kLcr, 0x80);
    write(kData, static_cast<u8>(divisor));
    write(kIer, static_cast<u8>(divisor >> 8));
    write(kLcr, format);
  }
  void use_fifos(u8 trigger_bits = 0) { write(kFcr, static_cast<u8>(trigger_bits << 6 | 0x07)); }
  std::string read_all() {
    std::string text;
    while ((read(kLsr) & 0x01) != 0) text.push_back(static_cast<char>(read(kData)));
    return text;
  }

  FakeChardev& chardev_;
  Device& device_;
};

TEST_F(SerialTest, HasTheDatasheetsResetValues) {
  EXPECT_EQ(read(kIer), 0x00);
  EXPECT_EQ(read(kIir), 0x01);
  EXPECT_EQ(read(kLcr), 0x00);
  EXPECT_EQ(read(kMcr), 0x00);
  EXPECT_EQ(read(kLsr), 0x60);
  EXPECT_EQ(read(kMsr), 0xb0);
  EXPECT_FALSE(bench_.irq(4));
}

TEST_F(SerialTest, RegistersReadBack) {
  write(kScratch, 0xa5);
  write(kLcr, 0x5b);
  write(kMcr, 0xff);
  write(kIer, 0xff);
  EXPECT_EQ(read(kScratch), 0xa5);
  EXPECT_EQ(read(kLcr), 0x5b);
  EXPECT_EQ(read(kMcr), 0x1f);
  EXPECT_EQ(read(kIer), 0x0f);
}

TEST_F(SerialTest, TheDivisorIsBehindDlab) {
  set_divisor(0x1234);
  EXPECT_EQ(read(kIer), 0x00);
  write(kLcr, 0x83);
  EXPECT_EQ(read(kData), 0x34);
  EXPECT_EQ(read(kIer), 0x12);
  EXPECT_EQ(chardev_.written, "");
}

TEST_F(SerialTest, CharactersAreSentAtOnce) {
  write(kData, 'h');
  write(kData, 'i');
  EXPECT_EQ(chardev_.written, "hi");
  EXPECT_EQ(read(kLsr), 0x60);
}

TEST_F(SerialTest, ACharacterThatArrivesInterruptsUntilItIsRead) {
  write(kIer, 0x01);
  EXPECT_EQ(chardev_.say("x"), 1u);
  EXPECT_TRUE(bench_.irq(4));
  EXPECT_EQ(read(kIir), kReceived);
  EXPECT_EQ(read(kLsr), 0x61);
  EXPECT_EQ(read(kData), 'x');
  EXPECT_FALSE(bench_.irq(4));
  EXPECT_EQ(read(kIir), kNone);
  EXPECT_EQ(read(kLsr), 0x60);
}

TEST_F(SerialTest, WithoutFifosOneCharacterFits) {
  EXPECT_EQ(chardev_.say("abc"), 1u);
  EXPECT_EQ(chardev_.say("bc"), 0u);
  EXPECT_EQ(read(kData), 'a');
  EXPECT_EQ(chardev_.say("bc"), 1u);
}

TEST_F(SerialTest, WithFifosSixteenFit) {
  use_fifos();
  EXPECT_EQ(chardev_.say("0123456789abcdefgh"), 16u);
  EXPECT_EQ(chardev_.say("gh"), 0u);
  EXPECT_EQ(read_all(), "0123456789abcdef");
  EXPECT_EQ(read(kLsr) & 0x02, 0);
}

TEST_F(SerialTest, FifosShowInTheInterruptId) {
  use_fifos();
  EXPECT_EQ(read(kIir), 0xc1);
  write(kFcr, 0x00);
  EXPECT_EQ(read(kIir), 0x01);
}

TEST_F(SerialTest, TheReceiverInterruptsAtItsTriggerLevel) {
  use_fifos(2);
  write(kIer, 0x01);
  chardev_.say("1234567");
  EXPECT_FALSE(bench_.irq(4));
  chardev_.say("8");
  EXPECT_TRUE(bench_.irq(4));
  EXPECT_EQ(read(kIir) & 0x0f, kReceived);
  read(kData);
  EXPECT_FALSE(bench_.irq(4));
}

TEST_F(SerialTest, TriggerLevelsAreOneFourEightAndFourteen) {
  write(kIer, 0x01);
  use_fifos(1);
  chardev_.say("123");
  EXPECT_FALSE(bench_.irq(4));
  chardev_.say("4");
  EXPECT_TRUE(bench_.irq(4));
  use_fifos(3);
  chardev_.say("1234567890123");
  EXPECT_FALSE(bench_.irq(4));
  chardev_.say("4");
  EXPECT_TRUE(bench_.irq(4));
  use_fifos(0);
  EXPECT_FALSE(bench_.irq(4));
  chardev_.say("1");
  EXPECT_TRUE(bench_.irq(4));
}

TEST_F(SerialTest, CharactersBelowTheTriggerTimeOut) {
  set_divisor(1);
  use_fifos(3);
  write(kIer, 0x01);
  chardev_.say("ab");
  bench_.advance(4 * kCharacter - 1000);
  EXPECT_FALSE(bench_.irq(4));
  bench_.advance(2000);
  EXPECT_TRUE(bench_.irq(4));
  EXPECT_EQ(read(kIir) & 0x0f, kTimeout);
  read(kData);
  EXPECT_FALSE(bench_.irq(4));
  bench_.advance(4 * kCharacter + 1000);
  EXPECT_TRUE(bench_.irq(4));
}

TEST_F(SerialTest, EachCharacterBeginsTheTimeoutAnew) {
  set_divisor(1);
  use_fifos(3);
  write(kIer, 0x01);
  chardev_.say("a");
  bench_.advance(3 * kCharacter);
  chardev_.say("b");
  bench_.advance(3 * kCharacter);
  EXPECT_FALSE(bench_.irq(4));
  bench_.advance(kCharacter + 1000);
  EXPECT_TRUE(bench_.irq(4));
}

TEST_F(SerialTest, TheTimeoutDependsOnDivisorAndFormat) {
  set_divisor(96, 0x0f);  // 1200 baud, 8 bits, parity, 2 stop bits: 12 bits
  use_fifos(3);
  write(kIer, 0x01);
  chardev_.say("a");
  bench_.advance(39'990'000);
  EXPECT_FALSE(bench_.irq(4));
  bench_.advance(20'000);
  EXPECT_TRUE(bench_.irq(4));
}

TEST_F(SerialTest, ADivisorOfZeroIsNoTrouble) {
  set_divisor(0);
  use_fifos(3);
  write(kIer, 0x01);
  chardev_.say("a");
  bench_.advance(kNsPerSecond);
  EXPECT_TRUE(bench_.irq(4));
}

TEST_F(SerialTest, EnablingTheTransmitterInterruptGivesOneAtOnce) {
  write(kIer, 0x02);
  EXPECT_TRUE(bench_.irq(4));
  EXPECT_EQ(read(kIir), kTransmitted);
  EXPECT_FALSE(bench_.irq(4));
  EXPECT_EQ(read(kIir), kNone);
  write(kIer, 0x00);
  write(kIer, 0x02);
  EXPECT_TRUE(bench_.irq(4));
}

TEST_F(SerialTest, EachSentCharacterInterruptsAnew) {
  write(kIer, 0x02);
  read(kIir);
  const unsigned edges = bench_.irq_edges(4);
  write(kData, 'a');
  EXPECT_EQ(bench_.irq_edges(4), edges + 1);
  write(kData, 'b');
  EXPECT_EQ(bench_.irq_edges(4), edges + 2);
}

TEST_F(SerialTest, LoopbackReceivesWhatItSends) {
  write(kMcr, 0x10);
  write(kData, 'z');
  EXPECT_EQ(read(kLsr), 0x61);
  EXPECT_EQ(read(kData), 'z');
  EXPECT_EQ(chardev_.written, "");
}

TEST_F(SerialTest, WordsHaveTheLineControlsLengthInTheLoop) {
  write(kMcr, 0x10);
  write(kLcr, 0x02);
  write(kData, 0xff);
  EXPECT_EQ(read(kData), 0x7f);
  write(kLcr, 0x01);
  write(kData, 0xff);
  EXPECT_EQ(read(kData), 0x3f);
  write(kLcr, 0x00);
  write(kData, 0xff);
  EXPECT_EQ(read(kData), 0x1f);
  write(kLcr, 0x03);
  write(kData, 0xff);
  EXPECT_EQ(read(kData), 0xff);
}

TEST_F(SerialTest, WordsHaveTheLineControlsLengthOnTheLine) {
  write(kLcr, 0x02);
  write(kData, 0xe1);
  EXPECT_EQ(chardev_.written, "a");
  chardev_.say("\xe2");
  EXPECT_EQ(read(kData), 'b');
}

TEST_F(SerialTest, AProgramThatNeverSetsAFormatIsHeard) {
  EXPECT_EQ(read(kLcr), 0x00);
  write(kData, 'h');
  EXPECT_EQ(chardev_.written, "h");
}

TEST_F(SerialTest, LoopbackKeepsThePeerOut) {
  write(kMcr, 0x10);
  EXPECT_EQ(chardev_.say("x"), 0u);
}

TEST_F(SerialTest, LoopbackConnectsTheModemLines) {
  write(kMcr, 0x10);
  EXPECT_EQ(read(kMsr) & 0xf0, 0x00);
  write(kMcr, 0x11);
  EXPECT_EQ(read(kMsr), 0x22);
  write(kMcr, 0x12);
  EXPECT_EQ(read(kMsr), 0x13);
  write(kMcr, 0x14);
  EXPECT_EQ(read(kMsr), 0x41);
  write(kMcr, 0x18);
  EXPECT_EQ(read(kMsr), 0x8c);
  write(kMcr, 0x00);
  EXPECT_EQ(read(kMsr), 0xb3);
}

TEST_F(SerialTest, ModemChangesInterruptUntilTheyAreRead) {
  write(kMcr, 0x10);
  read(kMsr);
  write(kIer, 0x08);
  EXPECT_FALSE(bench_.irq(4));
  write(kMcr, 0x12);
  EXPECT_TRUE(bench_.irq(4));
  EXPECT_EQ(read(kIir), kModem);
  EXPECT_EQ(read(kMsr), 0x11);
  EXPECT_FALSE(bench_.irq(4));
}

TEST_F(SerialTest, AnOverrunWithoutFifosKeepsTheNewestCharacter) {
  write(kIer, 0x04);
  write(kMcr, 0x10);
  write(kData, 'a');
  write(kData, 'b');
  EXPECT_TRUE(bench_.irq(4));
  EXPECT_EQ(read(kIir), kLineError);
  EXPECT_EQ(read(kLsr), 0x63);
  EXPECT_FALSE(bench_.irq(4));
  EXPECT_EQ(read(kLsr), 0x61);
  EXPECT_EQ(read(kData), 'b');
}

TEST_F(SerialTest, AnOverrunWithFifosKeepsTheOldestCharacters) {
  use_fifos();
  write(kMcr, 0x10);
  for (char c = 'a'; c < 'a' + 17; ++c) write(kData, static_cast<u8>(c));
  EXPECT_EQ(read(kLsr) & 0x02, 0x02);
  EXPECT_EQ(read_all(), "abcdefghijklmnop");
}

TEST_F(SerialTest, ABreakIsAZeroWithItsFlagWhenItReachesTheTop) {
  use_fifos();
  write(kIer, 0x04);
  chardev_.say("a");
  chardev_.send_break();
  EXPECT_EQ(read(kLsr), 0xe1);
  EXPECT_FALSE(bench_.irq(4));
  EXPECT_EQ(read(kData), 'a');
  EXPECT_TRUE(bench_.irq(4));
  EXPECT_EQ(read(kLsr), 0xf1);
  EXPECT_FALSE(bench_.irq(4));
  EXPECT_EQ(read(kLsr), 0x61);
  EXPECT_EQ(read(kData), 0x00);
}

TEST_F(SerialTest, ErrorsHavePriorityOverDataAndDataOverTheTransmitter) {
  write(kMcr, 0x10);
  write(kData, 'a');
  write(kData, 'b');
  write(kIer, 0x07);
  EXPECT_EQ(read(kIir), kLineError);
  read(kLsr);
  EXPECT_EQ(read(kIir), kReceived);
  read(kData);
  EXPECT_EQ(read(kIir), kTransmitted);
  EXPECT_EQ(read(kIir), kNone);
}

TEST_F(SerialTest, SwitchingFifosEmptiesThem) {
  chardev_.say("a");
  use_fifos();
  EXPECT_EQ(read(kLsr), 0x60);
  chardev_.say("bcd");
  write(kFcr, 0x00);
  EXPECT_EQ(read(kLsr), 0x60);
}

TEST_F(SerialTest, FifoResetsLeaveTheOtherFifoAlone) {
  use_fifos();
  chardev_.say("abc");
  write(kFcr, 0x05);
  EXPECT_EQ(read(kLsr) & 0x01, 0x01);
  write(kFcr, 0x03);
  EXPECT_EQ(read(kLsr) & 0x01, 0x00);
}

TEST_F(SerialTest, AByteAccessOfEachLaneOfAWord) {
  bench_.outw(kBase + kScratch - 1, 0x5a00);
  EXPECT_EQ(read(kScratch), 0x5a);
}

TEST_F(SerialTest, ResetSilencesIt) {
  set_divisor(1);
  use_fifos(3);
  write(kIer, 0x0f);
  chardev_.say("abc");
  bench_.reset();
  EXPECT_FALSE(bench_.irq(4));
  EXPECT_EQ(read(kIir), 0x01);
  EXPECT_EQ(read(kLsr), 0x60);
  bench_.advance(kNsPerSecond);
  EXPECT_EQ(bench_.irq(4), false);
}

TEST_F(SerialTest, ASnapshotKeepsFifoTimeoutAndErrors) {
  set_divisor(1);
  use_fifos(3);
  write(kIer, 0x05);
  chardev_.say("ab");
  chardev_.send_break();
  bench_.advance(3 * kCharacter);
  const auto saved = bench_.save();
  bench_.reset();

  ASSERT_TRUE(bench_.load(saved));

  EXPECT_FALSE(bench_.irq(4));
  bench_.advance(kCharacter + 1000);
  EXPECT_TRUE(bench_.irq(4));
  EXPECT_EQ(read(kIir) & 0x0f, kTimeout);
  EXPECT_EQ(read(kData), 'a');
  EXPECT_EQ(read(kData), 'b');
  EXPECT_EQ(read(kLsr), 0xf1);
  EXPECT_EQ(read(kScratch), 0x00);
}

TEST_F(SerialTest, ASnapshotWithAnInterruptRaisesItsLine) {
  write(kIer, 0x02);
  const auto saved = bench_.save();
  bench_.reset();
  ASSERT_TRUE(bench_.load(saved));
  EXPECT_TRUE(bench_.irq(4));
  EXPECT_EQ(read(kIir), kTransmitted);
}

}  // namespace
}  // namespace rhea::test
