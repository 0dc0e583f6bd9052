// SPDX-License-Identifier: GPL-2.0-or-later
// The PS/2 keyboard.
#include "tests/legacy/ps2_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rhea::test {
namespace {

using Bytes = std::vector<u8>;

constexpr u8 kAck = 0xfa;
constexpr u8 kResend = 0xfe;
constexpr KeyNumber kA = 0x1e;
constexpr KeyNumber kUp = 0xc8;
constexpr KeyNumber kPause = 0xc6;
constexpr KeyNumber kPrint = 0xb7;
constexpr KeyNumber kAlt = 0x38;
constexpr KeyNumber kControl = 0x1d;
constexpr KeyNumber kShift = 0x2a;
constexpr KeyNumber kRightShift = 0x36;
constexpr KeyNumber kLeft = 0xcb;
constexpr KeyNumber kDelete = 0xd3;
constexpr KeyNumber kDivide = 0xb5;
constexpr KeyNumber kKeypadEnter = 0x9c;
constexpr KeyNumber kRightControl = 0x9d;

class Ps2KeyboardTest : public Ps2Fixture {
 protected:
  void use_set(u8 set) { EXPECT_EQ(keyboard({0xf0, set}), (Bytes{kAck, kAck})); }
  Bytes press(KeyNumber key) {
    hub().key(key, true);
    return read_all();
  }
  Bytes release(KeyNumber key) {
    hub().key(key, false);
    return read_all();
  }
};

TEST_F(Ps2KeyboardTest, IdentifiesAsAnEnhancedKeyboard) {
  EXPECT_EQ(keyboard({0xf2}), (Bytes{kAck, 0xab, 0x83}));
}

TEST_F(Ps2KeyboardTest, EchoesAndResetsWithASelfTest) {
  EXPECT_EQ(keyboard({0xee}), Bytes{0xee});
  EXPECT_EQ(keyboard({0xff}), (Bytes{kAck, 0xaa}));
}

TEST_F(Ps2KeyboardTest, UnknownCommandsAskForAnother) {
  EXPECT_EQ(keyboard({0xef}), Bytes{kResend});
  EXPECT_EQ(keyboard({0x12}), Bytes{kResend});
}

TEST_F(Ps2KeyboardTest, ResendsTheLastByte) {
  press(kA);
  EXPECT_EQ(keyboard({0xfe}), Bytes{0x1c});
}

TEST_F(Ps2KeyboardTest, AfterAResetNothingIsSentAgain) {
  keyboard({0xee});
  bench_.reset();
  EXPECT_EQ(keyboard({0xfe}), Bytes{0x00});
}

TEST_F(Ps2KeyboardTest, TakesLedsAndTypematicRates) {
  EXPECT_EQ(keyboard({0xed, 0x07}), (Bytes{kAck, kAck}));
  EXPECT_EQ(keyboard({0xf3, 0x20}), (Bytes{kAck, kAck}));
}

TEST_F(Ps2KeyboardTest, ACommandInPlaceOfAnArgumentIsACommand) {
  EXPECT_EQ(keyboard({0xed, 0xf2}), (Bytes{kAck, kAck, 0xab, 0x83}));
  EXPECT_EQ(keyboard({0x02}), Bytes{kResend});
}

TEST_F(Ps2KeyboardTest, ADisabledKeyboardSaysNothing) {
  EXPECT_EQ(keyboard({0xf5}), Bytes{kAck});
  EXPECT_EQ(press(kA), Bytes{});
  EXPECT_EQ(keyboard({0xf4}), Bytes{kAck});
  EXPECT_EQ(press(0x30), Bytes{0x32});
}

TEST_F(Ps2KeyboardTest, TellsItsScanCodeSet) {
  EXPECT_EQ(keyboard({0xf0, 0x00}), (Bytes{kAck, kAck, 0x02}));
  use_set(3);
  EXPECT_EQ(keyboard({0xf0, 0x00}), (Bytes{kAck, kAck, 0x03}));
  EXPECT_EQ(keyboard({0xf0, 0x04}), (Bytes{kAck, kResend}));
  EXPECT_EQ(keyboard({0xf0, 0x00}), (Bytes{kAck, kAck, 0x03}));
}

TEST_F(Ps2KeyboardTest, DefaultsBringSet2Back) {
  use_set(1);
  EXPECT_EQ(keyboard({0xf6}), Bytes{kAck});
  EXPECT_EQ(press(kA), Bytes{0x1c});
}

TEST_F(Ps2KeyboardTest, Set1HasTheBreakBit) {
  use_set(1);
  EXPECT_EQ(press(kA), Bytes{0x1e});
  EXPECT_EQ(release(kA), Bytes{0x9e});
  EXPECT_EQ(press(kUp), (Bytes{0xe0, 0x48}));
  EXPECT_EQ(release(kUp), (Bytes{0xe0, 0xc8}));
}

TEST_F(Ps2KeyboardTest, Set2HasTheBreakPrefix) {
  EXPECT_EQ(press(kA), Bytes{0x1c});
  EXPECT_EQ(release(kA), (Bytes{0xf0, 0x1c}));
  EXPECT_EQ(press(kUp), (Bytes{0xe0, 0x75}));
  EXPECT_EQ(release(kUp), (Bytes{0xe0, 0xf0, 0x75}));
  EXPECT_EQ(press(0x41), Bytes{0x83});
}

TEST_F(Ps2KeyboardTest, RepeatsComeThrough) {
  press(kA);
  EXPECT_EQ(press(kA), Bytes{0x1c});
}

TEST_F(Ps2KeyboardTest, PauseTellsBothAtOnce) {
  EXPECT_EQ(press(kPause), (Bytes{0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77}));
  EXPECT_EQ(release(kPause), Bytes{});
  use_set(1);
  EXPECT_EQ(press(kPause), (Bytes{0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5}));
}

TEST_F(Ps2KeyboardTest, ControlPauseIsBreak) {
  press(kControl);
  EXPECT_EQ(press(kPause), (Bytes{0xe0, 0x7e, 0xe0, 0xf0, 0x7e}));
}

TEST_F(Ps2KeyboardTest, PrintScreenPretendsAShift) {
  EXPECT_EQ(press(kPrint), (Bytes{0xe0, 0x12, 0xe0, 0x7c}));
  EXPECT_EQ(release(kPrint), (Bytes{0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12}));
}

TEST_F(Ps2KeyboardTest, PrintScreenUnderShiftDoesNot) {
  press(kShift);
  EXPECT_EQ(press(kPrint), (Bytes{0xe0, 0x7c}));
  EXPECT_EQ(release(kPrint), (Bytes{0xe0, 0xf0, 0x7c}));
}

TEST_F(Ps2KeyboardTest, AGreyKeyLiftsTheShiftThatIsHeld) {
  press(kShift);
  EXPECT_EQ(press(kLeft), (Bytes{0xe0, 0xf0, 0x12, 0xe0, 0x6b}));
  EXPECT_EQ(press(kLeft), (Bytes{0xe0, 0x6b}));
  EXPECT_EQ(release(kLeft), (Bytes{0xe0, 0xf0, 0x6b, 0xe0, 0x12}));
  EXPECT_EQ(release(kShift), (Bytes{0xf0, 0x12}));
  EXPECT_EQ(press(kLeft), (Bytes{0xe0, 0x6b}));
}

TEST_F(Ps2KeyboardTest, AGreyKeyLiftsTheRightShiftAndBoth) {
  press(kRightShift);
  EXPECT_EQ(press(kUp), (Bytes{0xe0, 0xf0, 0x59, 0xe0, 0x75}));
  EXPECT_EQ(release(kUp), (Bytes{0xe0, 0xf0, 0x75, 0xe0, 0x59}));
  press(kShift);
  EXPECT_EQ(press(kUp), (Bytes{0xe0, 0xf0, 0x12, 0xe0, 0xf0, 0x59, 0xe0, 0x75}));
  EXPECT_EQ(release(kUp), (Bytes{0xe0, 0xf0, 0x75, 0xe0, 0x12, 0xe0, 0x59}));
}

TEST_F(Ps2KeyboardTest, AShiftThatGoesFirstStaysUp) {
  press(kShift);
  press(kLeft);
  release(kShift);
  EXPECT_EQ(release(kLeft), (Bytes{0xe0, 0xf0, 0x6b}));
}

TEST_F(Ps2KeyboardTest, AGreyKeyPretendsAShiftUnderNumLock) {
  keyboard({0xed, 0x02});
  EXPECT_EQ(press(kDelete), (Bytes{0xe0, 0x12, 0xe0, 0x71}));
  EXPECT_EQ(release(kDelete), (Bytes{0xe0, 0xf0, 0x71, 0xe0, 0xf0, 0x12}));
  press(kShift);
  EXPECT_EQ(press(kDelete), (Bytes{0xe0, 0x71}));
  EXPECT_EQ(release(kDelete), (Bytes{0xe0, 0xf0, 0x71}));
}

TEST_F(Ps2KeyboardTest, APretendedShiftEndsWithItsKeyEvenWhenNumLockHasGone) {
  keyboard({0xed, 0x02});
  press(kLeft);
  keyboard({0xed, 0x00});
  const auto saved = bench_.save();
  bench_.reset();
  ASSERT_TRUE(bench_.load(saved));
  EXPECT_EQ(release(kLeft), (Bytes{0xe0, 0xf0, 0x6b, 0xe0, 0xf0, 0x12}));
  press(kLeft);
  EXPECT_EQ(release(kLeft), (Bytes{0xe0, 0xf0, 0x6b}));
}

TEST_F(Ps2KeyboardTest, TheKeypadsDivideKnowsShiftButNotNumLock) {
  keyboard({0xed, 0x02});
  EXPECT_EQ(press(kDivide), (Bytes{0xe0, 0x4a}));
  EXPECT_EQ(release(kDivide), (Bytes{0xe0, 0xf0, 0x4a}));
  press(kShift);
  EXPECT_EQ(press(kDivide), (Bytes{0xe0, 0xf0, 0x12, 0xe0, 0x4a}));
  EXPECT_EQ(release(kDivide), (Bytes{0xe0, 0xf0, 0x4a, 0xe0, 0x12}));
}

TEST_F(Ps2KeyboardTest, OtherExtendedKeysKeepTheShift) {
  press(kShift);
  EXPECT_EQ(press(kKeypadEnter), (Bytes{0xe0, 0x5a}));
  EXPECT_EQ(press(kRightControl), (Bytes{0xe0, 0x14}));
}

TEST_F(Ps2KeyboardTest, Set1HasTheSameShiftsAndSet3None) {
  use_set(1);
  press(kShift);
  EXPECT_EQ(press(kLeft), (Bytes{0xe0, 0xaa, 0xe0, 0x4b}));
  EXPECT_EQ(release(kLeft), (Bytes{0xe0, 0xcb, 0xe0, 0x2a}));
  use_set(3);
  EXPECT_EQ(press(kLeft), Bytes{0x61});
}

TEST_F(Ps2KeyboardTest, AltPrintScreenIsSystemRequest) {
  press(kAlt);
  EXPECT_EQ(press(kPrint), Bytes{0x84});
  EXPECT_EQ(release(kPrint), (Bytes{0xf0, 0x84}));
  use_set(1);
  EXPECT_EQ(press(kPrint), Bytes{0x54});
}

TEST_F(Ps2KeyboardTest, Set3TellsOneByteAKey) {
  use_set(3);
  EXPECT_EQ(press(kA), Bytes{0x1c});
  EXPECT_EQ(press(kUp), Bytes{0x63});
  EXPECT_EQ(press(0x3b), Bytes{0x07});
}

TEST_F(Ps2KeyboardTest, Set3TellsReleasesOfShiftOnly) {
  use_set(3);
  press(kA);
  press(kShift);
  EXPECT_EQ(release(kA), Bytes{});
  EXPECT_EQ(release(kShift), (Bytes{0xf0, 0x12}));
}

TEST_F(Ps2KeyboardTest, Set3RepeatsLettersAndNotFunctionKeys) {
  use_set(3);
  press(kA);
  press(0x3b);
  EXPECT_EQ(press(kA), Bytes{0x1c});
  EXPECT_EQ(press(0x3b), Bytes{});
}

TEST_F(Ps2KeyboardTest, Set3CanTellEverything) {
  use_set(3);
  EXPECT_EQ(keyboard({0xfa}), Bytes{kAck});
  press(kA);
  EXPECT_EQ(press(kA), Bytes{0x1c});
  EXPECT_EQ(release(kA), (Bytes{0xf0, 0x1c}));
}

TEST_F(Ps2KeyboardTest, Set3KeysAreSetOneByOne) {
  use_set(3);
  EXPECT_EQ(keyboard({0xfc, 0x1c, 0x32}), (Bytes{kAck, kAck, kAck}));
  EXPECT_EQ(keyboard({0xee}), Bytes{0xee});
  press(kA);
  EXPECT_EQ(press(kA), Bytes{});
  EXPECT_EQ(release(kA), (Bytes{0xf0, 0x1c}));
}

TEST_F(Ps2KeyboardTest, ABufferOfSixteenBytesEndsInAnOverrunCode) {
  for (KeyNumber key = 0x10; key < 0x10 + 18; ++key) hub().key(key, true);
  const Bytes bytes = read_all();
  ASSERT_EQ(bytes.size(), 18u);
  EXPECT_EQ(bytes[16], 0x23);
  EXPECT_EQ(bytes[17], 0x00);
}

TEST_F(Ps2KeyboardTest, ASequenceIsNeverCut) {
  bench_.outb(0x64, 0xad);
  for (KeyNumber key = 0x10; key < 0x10 + 14; ++key) hub().key(key, true);
  hub().key(kPause, true);
  bench_.outb(0x64, 0xae);
  const Bytes bytes = read_all();
  ASSERT_EQ(bytes.size(), 15u);
  EXPECT_EQ(bytes.back(), 0x00);
}

TEST_F(Ps2KeyboardTest, KeysFitAgainAfterAnOverrun) {
  for (KeyNumber key = 0x10; key < 0x10 + 30; ++key) hub().key(key, true);
  read_all();
  EXPECT_EQ(press(0x3b), Bytes{0x05});
}

TEST_F(Ps2KeyboardTest, AnswersOvertakeKeys) {
  bench_.outb(0x64, 0xad);
  hub().key(kA, true);
  bench_.outb(0x60, 0xee);
  EXPECT_EQ(read_all(), (Bytes{0xee, 0x1c}));
}

TEST_F(Ps2KeyboardTest, ASnapshotKeepsSetArgumentsAndKeys) {
  use_set(1);
  bench_.outb(0x64, 0xad);
  hub().key(kUp, true);
  bench_.outb(0x64, 0xae);
  bench_.outb(0x60, 0xf0);
  const auto saved = bench_.save();
  bench_.reset();

  ASSERT_TRUE(bench_.load(saved));

  bench_.outb(0x60, 0x00);
  EXPECT_EQ(read_all(), (Bytes{0xe0, kAck, kAck, 0x01, 0x48}));
}

TEST_F(Ps2KeyboardTest, ResetBringsTheDefaults) {
  use_set(1);
  keyboard({0xf5});
  bench_.reset();
  EXPECT_EQ(press(kA), Bytes{0x1c});
}

class KeyNamesTest : public Ps2Fixture {};

TEST_F(KeyNamesTest, AreSorted) {
  EXPECT_TRUE(std::ranges::is_sorted(key_names(), {}, &KeyName::name));
}

TEST_F(KeyNamesTest, AreQKeyCodes) {
  EXPECT_EQ(*parse_key("a"), 0x1e);
  EXPECT_EQ(*parse_key("ret"), 0x1c);
  EXPECT_EQ(*parse_key("kp_enter"), 0x9c);
  EXPECT_EQ(*parse_key("up"), 0xc8);
  EXPECT_EQ(*parse_key("meta_l"), 0xdb);
  EXPECT_EQ(*parse_key("less"), 0x56);
}

TEST_F(KeyNamesTest, NumbersAreKeysToo) {
  EXPECT_EQ(*parse_key("0x1e"), 0x1e);
  EXPECT_EQ(*parse_key("0xc8"), 0xc8);
}

TEST_F(KeyNamesTest, OthersAreErrorsThatNameThem) {
  EXPECT_NE(parse_key("nokey").error().message().find("nokey"), std::string::npos);
  EXPECT_FALSE(parse_key(""));
  EXPECT_FALSE(parse_key("0x00"));
  EXPECT_FALSE(parse_key("0x100"));
  EXPECT_FALSE(parse_key("0xzz"));
}

class SendKeysTest : public Ps2KeyboardTest {};

TEST_F(SendKeysTest, AChordIsHeldAndReleasedInReverse) {
  hub().send_keys({kControl, kA}, 50);
  EXPECT_EQ(read_all(), (Bytes{0x14, 0x1c}));
  bench_.advance(49'999'999);
  EXPECT_EQ(read_all(), Bytes{});
  bench_.advance(1);
  EXPECT_EQ(read_all(), (Bytes{0xf0, 0x1c, 0xf0, 0x14}));
}

TEST_F(SendKeysTest, TheNextChordWaitsForTheFirst) {
  hub().send_keys({kA}, 10);
  hub().send_keys({0x30}, 10);
  EXPECT_EQ(read_all(), Bytes{0x1c});
  bench_.advance(10'000'000);
  EXPECT_EQ(read_all(), (Bytes{0xf0, 0x1c, 0x32}));
  bench_.advance(10'000'000);
  EXPECT_EQ(read_all(), (Bytes{0xf0, 0x32}));
}

TEST_F(SendKeysTest, TheQueueIsBounded) {
  for (int i = 0; i < 2000; ++i) hub().send_keys({kA}, 1);
  const unsigned edges = bench_.irq_edges(1);
  EXPECT_EQ(edges, 1u);
  bench_.outb(0x64, 0xad);
  bench_.advance(3'000'000'000);
  bench_.outb(0x64, 0xae);
  read_all();
  hub().send_keys({0x30}, 1);
  EXPECT_EQ(read_all(), Bytes{0x32});
}

TEST_F(SendKeysTest, NothingIsPressedForAnEmptyChord) {
  hub().send_keys({}, 10);
  hub().send_keys({kA}, 10);
  EXPECT_EQ(read_all(), Bytes{0x1c});
}

}  // namespace
}  // namespace rhea::test
