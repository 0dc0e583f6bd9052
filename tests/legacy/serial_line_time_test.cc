// SPDX-License-Identifier: GPL-2.0-or-later
// The 16550A with line time: characters take as long as divisor and format say.
#include "rhea/softmmu/snapshot.h"
#include "tests/legacy/serial_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

/// 8N1 at divisor 1.
class SerialLineTime : public SerialBase {
 protected:
  static constexpr u8 kEmpty = 0x60, kHolding = 0x20;
  static constexpr i64 kBit = kNsPerSecond / 115200;

  SerialLineTime()
      : chardev_(FakeChardev::make(bench_, "fake0")),
        device_(bench_.add("isa-serial", {{"chardev", "fake0"}, {"line-time", "on"}})) {
    write(kLcr, 0x83);
    write(kData, 1);
    write(kIer, 0);
    write(kLcr, 0x03);
  }
  u8 transmitter() { return read(kLsr) & kEmpty; }
  void use_fifos() { write(kFcr, 0x07); }

  FakeChardev& chardev_;
  Device& device_;
};

TEST_F(SerialLineTime, AResetForgetsTheCharactersOnTheLine) {
  bench_.reset();
  const auto fresh = save_devices(bench_.machine()).value();
  write(kData, 'a');
  ASSERT_EQ(chardev_.say("b"), 1u);
  bench_.reset();
  EXPECT_EQ(save_devices(bench_.machine()).value(), fresh);
}

TEST_F(SerialLineTime, IsOffUnlessAskedFor) {
  FakeChardev::make(bench_, "fake1");
  Device& other = bench_.add("isa-serial", {{"chardev", "fake1"}});
  EXPECT_EQ(to_text(other.get("line-time").value()), "off");
  EXPECT_EQ(to_text(device_.get("line-time").value()), "on");
}

TEST_F(SerialLineTime, ThreFallsForTheCharacterWaitingAndTemtForBoth) {
  EXPECT_EQ(transmitter(), kEmpty);
  write(kData, 'a');
  EXPECT_EQ(transmitter(), kHolding);
  write(kData, 'b');
  EXPECT_EQ(transmitter(), 0);
  bench_.advance(kCharacter - 1000);
  EXPECT_EQ(transmitter(), 0);
  EXPECT_EQ(chardev_.written, "");
  bench_.advance(2000);
  EXPECT_EQ(transmitter(), kHolding);
  EXPECT_EQ(chardev_.written, "a");
  bench_.advance(kCharacter);
  EXPECT_EQ(transmitter(), kEmpty);
  EXPECT_EQ(chardev_.written, "ab");
}

TEST_F(SerialLineTime, WithoutFifosEachEmptyHoldingRegisterInterrupts) {
  write(kIer, 0x02);
  read(kIir);
  write(kData, 'a');
  EXPECT_EQ(read(kIir), kTransmitted);
  write(kData, 'b');
  EXPECT_EQ(read(kIir), kNone);
  bench_.advance(kCharacter + 1000);
  EXPECT_EQ(read(kIir), kTransmitted);
}

TEST_F(SerialLineTime, ASingleCharacterInTheFifoShowsEmptyAStopBitBeforeItsEnd) {
  use_fifos();
  write(kIer, 0x02);
  read(kIir);
  write(kData, 'a');
  EXPECT_EQ(transmitter(), 0);
  bench_.advance(kCharacter - kBit - 1000);
  EXPECT_EQ(transmitter(), 0);
  EXPECT_FALSE(bench_.irq(4));
  bench_.advance(2000);
  EXPECT_EQ(transmitter(), kHolding);
  EXPECT_TRUE(bench_.irq(4));
  EXPECT_EQ(chardev_.written, "");
  bench_.advance(kBit);
  EXPECT_EQ(transmitter(), kEmpty);
  EXPECT_EQ(chardev_.written, "a");
}

TEST_F(SerialLineTime, AFifoThatHadSeveralShowsEmptyAtOnce) {
  use_fifos();
  write(kData, 'a');
  write(kData, 'b');
  write(kData, 'c');
  bench_.advance(kCharacter + 1000);
  EXPECT_EQ(transmitter(), 0);
  bench_.advance(kCharacter);
  EXPECT_EQ(transmitter(), kHolding);
  EXPECT_EQ(chardev_.written, "ab");
  bench_.advance(kCharacter);
  EXPECT_EQ(transmitter(), kEmpty);
  EXPECT_EQ(chardev_.written, "abc");
}

TEST_F(SerialLineTime, ClearingTheFifoLeavesTheShiftRegister) {
  use_fifos();
  write(kData, 'a');
  write(kData, 'b');
  write(kFcr, 0x05);
  EXPECT_EQ(transmitter(), kHolding);
  bench_.advance(3 * kCharacter);
  EXPECT_EQ(chardev_.written, "a");
  EXPECT_EQ(transmitter(), kEmpty);
}

TEST_F(SerialLineTime, TheDivisorAndTheFormatCount) {
  write(kLcr, 0x8f);
  write(kData, 12);
  write(kLcr, 0x0f);  // 9600 baud, 12 bits
  write(kData, 'a');
  bench_.advance(1'249'000);
  EXPECT_EQ(transmitter(), kHolding);
  bench_.advance(2000);
  EXPECT_EQ(transmitter(), kEmpty);
}

TEST_F(SerialLineTime, TheLoopTakesItsTimeToo) {
  write(kMcr, 0x10);
  write(kData, 'z');
  EXPECT_EQ(read(kLsr) & 0x01, 0);
  bench_.advance(kCharacter + 1000);
  EXPECT_EQ(read(kLsr) & 0x01, 1);
  EXPECT_EQ(read(kData), 'z');
}

TEST_F(SerialLineTime, CharactersArriveOneAtATime) {
  use_fifos();
  EXPECT_EQ(chardev_.say("ab"), 1u);
  EXPECT_EQ(chardev_.say("b"), 0u);
  EXPECT_EQ(read(kLsr) & 0x01, 0);
  bench_.advance(kCharacter + 1000);
  EXPECT_EQ(read(kData), 'a');
  EXPECT_EQ(chardev_.say("b"), 1u);
  EXPECT_EQ(read(kLsr) & 0x01, 0);
  bench_.advance(kCharacter + 1000);
  EXPECT_EQ(read(kData), 'b');
}

TEST_F(SerialLineTime, ASnapshotGoesOnInTheMiddleOfACharacter) {
  use_fifos();
  write(kData, 'a');
  write(kData, 'b');
  chardev_.say("x");
  bench_.advance(kCharacter / 2);
  const auto saved = bench_.save();
  bench_.reset();
  EXPECT_EQ(transmitter(), kEmpty);

  ASSERT_TRUE(bench_.load(saved));

  EXPECT_EQ(transmitter(), 0);
  EXPECT_EQ(chardev_.written, "");
  bench_.advance(kCharacter / 2 + 1000);
  EXPECT_EQ(chardev_.written, "a");
  EXPECT_EQ(read(kData), 'x');
  bench_.advance(kCharacter);
  EXPECT_EQ(chardev_.written, "ab");
  EXPECT_EQ(transmitter(), kEmpty);
}

TEST_F(SerialLineTime, ResetForgetsWhatIsOnItsWay) {
  write(kData, 'a');
  chardev_.say("x");
  bench_.reset();
  bench_.advance(kNsPerSecond);
  EXPECT_EQ(chardev_.written, "");
  EXPECT_EQ(read(kLsr), kEmpty);
}

}  // namespace
}  // namespace rhea::test
