// SPDX-License-Identifier: GPL-2.0-or-later
// The pc board's gate of address line 20: who moves it, and what the memory map does where the
// processors have no such pin.
#include "rhea/softmmu/a20.h"

#include "rhea/softmmu/snapshot.h"
#include "tests/support/pc.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

class PcA20 : public testing::Test {
 protected:
  static constexpr u64 kLow = 0x500, kHigh = 0x100500;

  PcA20() {
    machine.memory().store(kLow, 1, 1);
    machine.memory().store(kHigh, 2, 1);
  }
  void port92(u8 value) { machine.io().store(0x92, value, 1); }
  void keyboard(u8 value) {
    machine.io().store(0x64, 0xd1, 1);
    machine.io().store(0x60, value, 1);
  }
  u64 high() { return machine.memory().load(kHigh, 1); }

  Pc pc;
  Machine& machine{pc.machine()};
};

TEST_F(PcA20, IsOpenAfterReset) { EXPECT_EQ(high(), 2U); }

TEST_F(PcA20, Port92MovesIt) {
  port92(0);
  EXPECT_EQ(high(), 1U);
  port92(2);
  EXPECT_EQ(high(), 2U);
}

TEST_F(PcA20, TheKeyboardControllerMovesIt) {
  keyboard(0xdd);
  EXPECT_EQ(high(), 1U);
  keyboard(0xdf);
  EXPECT_EQ(high(), 2U);
  machine.io().store(0x64, 0xdd, 1);
  EXPECT_EQ(high(), 1U);
  machine.io().store(0x64, 0xdf, 1);
  EXPECT_EQ(high(), 2U);
}

TEST_F(PcA20, WhoWritesLastHasIt) {
  keyboard(0xdd);
  port92(2);
  EXPECT_EQ(high(), 2U);
  port92(0);
  keyboard(0xdf);
  EXPECT_EQ(high(), 2U);
}

TEST_F(PcA20, ResetOpensIt) {
  port92(0);
  machine.reset_now(ShutdownCause::None, ResetKind::Warm);
  EXPECT_EQ(high(), 2U);
}

TEST_F(PcA20, ASnapshotKeepsItWhoeverClosedIt) {
  keyboard(0xdd);
  const auto closed_there = save_machine(machine);
  keyboard(0xdf);
  port92(0);
  const auto closed_here = save_machine(machine);
  port92(2);
  ASSERT_TRUE(load_machine(machine, closed_there));
  EXPECT_EQ(high(), 1U);
  port92(2);
  ASSERT_TRUE(load_machine(machine, closed_here));
  EXPECT_EQ(high(), 1U);
}

// An accelerator with the pin does it without the map.
TEST_F(PcA20, AProcessorsPinComesFirst) {
  std::vector<bool> pin;
  machine.service<A20Gate>().set_pin([&pin](bool open) { pin.push_back(open); });
  port92(0);
  port92(0);
  port92(2);
  EXPECT_EQ(pin, (std::vector{false, true}));
  port92(0);
  EXPECT_EQ(high(), 2U);
  machine.service<A20Gate>().set_pin(nullptr);
}

}  // namespace
}  // namespace rhea::test
