// SPDX-License-Identifier: GPL-2.0-or-later
// The keyboard controller.
#include "rhea/ui/input.h"
#include "tests/legacy/ps2_fixture.h"
#include "tests/support/pc.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rhea::test {
namespace {

constexpr KeyNumber kKeyA = 0x1e;

bool throttles(Pc& pc) {
  const auto devices = pc.devices();
  const auto found =
      std::ranges::find(devices, "i8042", [](const Device* d) { return d->type().name; });
  return found != devices.end() && to_text((*found)->get("kbd-throttle").value()) == "on";
}

class I8042Test : public Ps2Fixture {};

TEST_F(I8042Test, HasItsResetState) {
  EXPECT_EQ(status(), 0x18);
  EXPECT_EQ(ask(0x20), 0x03);
  EXPECT_EQ(ask(0xd0), 0xcf);
  EXPECT_TRUE(a20());
}

TEST_F(I8042Test, TheSelfTestPassesAndSetsTheSystemFlag) {
  EXPECT_EQ(status() & 0x04, 0);
  EXPECT_EQ(ask(0xaa), 0x55);
  EXPECT_EQ(status() & 0x04, 0x04);
}

TEST_F(I8042Test, InterfaceTestsPass) {
  EXPECT_EQ(ask(0xab), 0x00);
  EXPECT_EQ(ask(0xa9), 0x00);
  EXPECT_EQ(ask(0xa4), 0xf1);
  EXPECT_EQ(ask(0xc0), 0x80);
}

TEST_F(I8042Test, StatusTellsCommandsFromData) {
  bench_.outb(0x64, 0x60);
  EXPECT_EQ(status() & 0x08, 0x08);
  bench_.outb(0x60, 0x00);
  EXPECT_EQ(status() & 0x08, 0x00);
}

TEST_F(I8042Test, TheOutputBufferIsFullUntilItIsRead) {
  bench_.outb(0x64, 0xaa);
  EXPECT_EQ(status() & 0x21, 0x01);
  EXPECT_EQ(bench_.inb(0x60), 0x55);
  EXPECT_EQ(status() & 0x01, 0x00);
  EXPECT_EQ(bench_.inb(0x60), 0x55);
}

TEST_F(I8042Test, ItsRamReadsBack) {
  command_with(0x60, 0x47);
  command_with(0x7f, 0xa5);
  EXPECT_EQ(ask(0x20), 0x47);
  EXPECT_EQ(ask(0x3f), 0xa5);
}

TEST_F(I8042Test, InterfacesAreSwitchedInTheCommandByte) {
  bench_.outb(0x64, 0xad);
  bench_.outb(0x64, 0xa7);
  EXPECT_EQ(ask(0x20), 0x33);
  bench_.outb(0x64, 0xae);
  bench_.outb(0x64, 0xa8);
  EXPECT_EQ(ask(0x20), 0x03);
}

TEST_F(I8042Test, AKeyRaisesIrq1UntilItIsRead) {
  hub().key(kKeyA, true);
  EXPECT_TRUE(bench_.irq(1));
  EXPECT_FALSE(bench_.irq(12));
  EXPECT_EQ(bench_.inb(0x60), 0x1c);
  EXPECT_FALSE(bench_.irq(1));
}

TEST_F(I8042Test, EachByteIsAnEdgeOfItsOwn) {
  hub().key(kKeyA, true);
  hub().key(kKeyA, false);
  EXPECT_EQ(bench_.inb(0x60), 0x1c);
  EXPECT_TRUE(bench_.irq(1));
  EXPECT_EQ(bench_.irq_edges(1), 2u);
  EXPECT_EQ(bench_.inb(0x60), 0xf0);
  EXPECT_EQ(bench_.inb(0x60), 0x1c);
  EXPECT_EQ(bench_.irq_edges(1), 3u);
}

TEST_F(I8042Test, WithoutItsInterruptTheByteWaits) {
  command_with(0x60, 0x00);
  hub().key(kKeyA, true);
  EXPECT_FALSE(bench_.irq(1));
  EXPECT_EQ(status() & 0x01, 0x01);
  command_with(0x60, 0x01);
  EXPECT_TRUE(bench_.irq(1));
}

TEST_F(I8042Test, ADisabledKeyboardKeepsItsBytes) {
  bench_.outb(0x64, 0xad);
  hub().key(kKeyA, true);
  EXPECT_EQ(status() & 0x01, 0x00);
  bench_.outb(0x64, 0xae);
  EXPECT_EQ(bench_.inb(0x60), 0x1c);
}

TEST_F(I8042Test, TranslationGivesSet1) {
  command_with(0x60, 0x41);
  hub().key(kKeyA, true);
  hub().key(kKeyA, false);
  hub().key(0xc8, true);
  hub().key(0xc8, false);
  hub().key(0x41, true);
  EXPECT_EQ(read_all(), (std::vector<u8>{0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8, 0x41}));
}

TEST_F(I8042Test, TranslationChangesTheKeyboardsIdentity) {
  command_with(0x60, 0x41);
  bench_.outb(0x60, 0xf2);
  EXPECT_EQ(read_all(), (std::vector<u8>{0xfa, 0xab, 0x41}));
}

TEST_F(I8042Test, ABreakPrefixIsRememberedOverASnapshot) {
  command_with(0x60, 0x41);
  hub().key(kKeyA, true);
  hub().key(kKeyA, false);
  const auto saved = bench_.save();
  bench_.reset();
  ASSERT_TRUE(bench_.load(saved));
  EXPECT_TRUE(bench_.irq(1));
  EXPECT_EQ(read_all(), (std::vector<u8>{0x1e, 0x9e}));
}

TEST_F(I8042Test, DataForTheKeyboardSwitchesItOn) {
  bench_.outb(0x64, 0xad);
  bench_.outb(0x60, 0xee);
  EXPECT_EQ(bench_.inb(0x60), 0xee);
  EXPECT_EQ(ask(0x20), 0x03);
}

TEST_F(I8042Test, TheMouseHasIrq12AndAStatusBit) {
  bench_.outb(0x64, 0xd4);
  bench_.outb(0x60, 0xf2);
  EXPECT_TRUE(bench_.irq(12));
  EXPECT_FALSE(bench_.irq(1));
  EXPECT_EQ(status() & 0x21, 0x21);
  EXPECT_EQ(bench_.inb(0x60), 0xfa);
  EXPECT_EQ(bench_.inb(0x60), 0x00);
  EXPECT_FALSE(bench_.irq(12));
}

TEST_F(I8042Test, ADisabledMouseKeepsItsBytes) {
  bench_.outb(0x64, 0xd4);
  bench_.outb(0x60, 0xf4);
  EXPECT_EQ(bench_.inb(0x60), 0xfa);
  bench_.outb(0x64, 0xa7);
  hub().pointer({.dx = 1});
  EXPECT_EQ(status() & 0x01, 0x00);
  bench_.outb(0x64, 0xa8);
  EXPECT_EQ(status() & 0x21, 0x21);
}

TEST_F(I8042Test, BytesCanBePretendedFromEitherDevice) {
  command_with(0xd2, 0x12);
  EXPECT_EQ(status() & 0x21, 0x01);
  EXPECT_TRUE(bench_.irq(1));
  EXPECT_EQ(bench_.inb(0x60), 0x12);
  command_with(0xd3, 0x34);
  EXPECT_EQ(status() & 0x21, 0x21);
  EXPECT_TRUE(bench_.irq(12));
  EXPECT_EQ(bench_.inb(0x60), 0x34);
}

TEST_F(I8042Test, AnAnswerWaitsBehindAFullBufferAndBeforeKeys) {
  hub().key(kKeyA, true);
  hub().key(0x30, true);
  bench_.outb(0x64, 0x20);
  EXPECT_EQ(read_all(), (std::vector<u8>{0x1c, 0x03, 0x32}));
}

TEST_F(I8042Test, TheOutputPortDrivesA20) {
  command_with(0xd1, 0xdd);
  EXPECT_FALSE(a20());
  EXPECT_EQ(ask(0xd0), 0xcd);
  bench_.outb(0x64, 0xdf);
  EXPECT_TRUE(a20());
  bench_.outb(0x64, 0xdd);
  EXPECT_FALSE(a20());
}

TEST_F(I8042Test, TheOutputPortShowsFullBuffers) {
  hub().key(kKeyA, true);
  bench_.outb(0x64, 0xd0);
  EXPECT_EQ(bench_.inb(0x60), 0x1c);
  EXPECT_EQ(bench_.inb(0x60), 0xdf);
}

TEST_F(I8042Test, PulsingTheResetLineResetsTheMachine) {
  bench_.outb(0x64, 0xfe);
  EXPECT_TRUE(bench_.run_until([this] { return resets_ == 1; }));
}

TEST_F(I8042Test, PulsingOtherLinesDoesNot) {
  bench_.outb(0x64, 0xff);
  bench_.machine().loop().iterate(false);
  EXPECT_EQ(resets_, 0);
}

TEST_F(I8042Test, WritingTheOutputPortCanResetTheMachine) {
  command_with(0xd1, 0xce);
  EXPECT_TRUE(bench_.run_until([this] { return resets_ == 1; }));
}

TEST_F(I8042Test, APasswordIsTakenUpToItsEnd) {
  bench_.outb(0x64, 0xa5);
  bench_.outb(0x60, 0x1e);
  bench_.outb(0x60, 0x00);
  EXPECT_EQ(status() & 0x01, 0x00);
  bench_.outb(0x60, 0xee);
  EXPECT_EQ(bench_.inb(0x60), 0xee);
}

TEST_F(I8042Test, UnknownCommandsAnswerNothing) {
  bench_.outb(0x64, 0xb5);
  EXPECT_EQ(status() & 0x01, 0x00);
}

TEST_F(I8042Test, ResetEmptiesBuffersAndOpensA20) {
  bench_.outb(0x64, 0xdd);
  hub().key(kKeyA, true);
  hub().key(kKeyA, false);
  command_with(0x60, 0x47);
  bench_.reset();
  EXPECT_FALSE(bench_.irq(1));
  EXPECT_EQ(status(), 0x18);
  EXPECT_TRUE(a20());
  EXPECT_EQ(read_all(), std::vector<u8>{});
}

TEST_F(I8042Test, ASnapshotInTheMiddleOfACommandGoesOn) {
  bench_.outb(0x64, 0xd4);
  const auto saved = bench_.save();
  bench_.reset();
  ASSERT_TRUE(bench_.load(saved));
  bench_.outb(0x60, 0xf2);
  EXPECT_EQ(status() & 0x21, 0x21);
}

TEST_F(I8042Test, ASnapshotKeepsBytesThatWait) {
  hub().key(kKeyA, true);
  hub().key(kKeyA, false);
  bench_.outb(0x64, 0x20);
  const auto saved = bench_.save();
  bench_.reset();
  ASSERT_TRUE(bench_.load(saved));
  EXPECT_TRUE(bench_.irq(1));
  EXPECT_EQ(read_all(), (std::vector<u8>{0x1c, 0x03, 0xf0, 0x1c}));
}

class I8042ThrottleTest : public Ps2Fixture {
 protected:
  I8042ThrottleTest() : Ps2Fixture({{"kbd-throttle", "on"}}) {}
};

TEST_F(I8042ThrottleTest, TheNextByteComesAMillisecondLater) {
  hub().key(kKeyA, true);
  hub().key(kKeyA, false);
  EXPECT_EQ(bench_.inb(0x60), 0x1c);
  EXPECT_EQ(status() & 0x01, 0x00);
  EXPECT_EQ(bench_.inb(0x60), 0x1c);
  bench_.advance(1'000'000);
  EXPECT_EQ(status() & 0x01, 0x01);
  EXPECT_EQ(bench_.inb(0x60), 0xf0);
}

TEST_F(I8042ThrottleTest, AByteCanBeReadAgainForItsTimeAndTheNextHasItsOwn) {
  hub().key(kKeyA, true);
  hub().key(kKeyA, false);
  EXPECT_EQ(bench_.inb(0x60), 0x1c);
  bench_.advance(999'999);
  EXPECT_EQ(bench_.inb(0x60), 0x1c);
  EXPECT_FALSE(bench_.irq(1));
  bench_.advance(1);
  EXPECT_TRUE(bench_.irq(1));
  bench_.advance(5'000'000);
  EXPECT_EQ(bench_.inb(0x60), 0xf0);
  EXPECT_EQ(bench_.inb(0x60), 0xf0);
  bench_.advance(1'000'000);
  EXPECT_EQ(bench_.inb(0x60), 0x1c);
}

TEST_F(I8042ThrottleTest, TheControllersAnswersAndTheMouseTakeNoTime) {
  bench_.outb(0x64, 0xaa);
  EXPECT_EQ(bench_.inb(0x60), 0x55);
  EXPECT_EQ(ask(0x20), 0x07);
  EXPECT_EQ(mouse({0xf2}), (std::vector<u8>{0xfa, 0x00}));
}

TEST_F(I8042ThrottleTest, AnAnswerWaitsForTheKeyboardsByte) {
  hub().key(kKeyA, true);
  EXPECT_EQ(bench_.inb(0x60), 0x1c);
  bench_.outb(0x64, 0x20);
  EXPECT_EQ(status() & 0x01, 0x00);
  EXPECT_EQ(bench_.inb(0x60), 0x1c);
  bench_.advance(1'000'000);
  EXPECT_EQ(bench_.inb(0x60), 0x03);
}

TEST(I8042Board, ThrottlingIsOffUnlessAGlobalAsksForIt) {
  Pc plain;
  EXPECT_FALSE(throttles(plain));
  Pc asked({}, [](Machine& machine) { machine.add_global("i8042", "kbd-throttle", "on"); });
  EXPECT_TRUE(throttles(asked));
}

TEST(I8042Properties, InterruptLinesCanBeChosen) {
  Bench bench;
  bench.add("i8042", {{"kbd-irq", "5"}, {"mouse-irq", "7"}});
  bench.machine().service<InputHub>().key(kKeyA, true);
  EXPECT_TRUE(bench.irq(5));
}

}  // namespace
}  // namespace rhea::test
