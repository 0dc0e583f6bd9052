// SPDX-License-Identifier: GPL-2.0-or-later
// A guest that tells of its own end, by a port and by a BAR.
#include "rhea/softmmu/actions.h"
#include "rhea/softmmu/tool_events.h"
#include "tests/support/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr u16 kPanicPort = 0x505;

class PvpanicTest : public testing::Test {
 protected:
  PvpanicTest() {
    bench.machine().service<ToolEvents>().observe(
        [this](const std::string& name, const ToolEvents::Data& data) {
          heard.push_back(name + " " + to_text(data.front().second));
        });
    bench.machine().resume();
  }
  MachineActions& actions() { return bench.machine().service<MachineActions>(); }
  bool hears() {
    return bench.run_until([this] { return !heard.empty(); });
  }
  Bench bench;
  std::vector<std::string> heard;
};

TEST_F(PvpanicTest, SaysWhichEventsThereAre) {
  bench.add("pvpanic");
  EXPECT_EQ(bench.inb(kPanicPort), 3u);
}

TEST_F(PvpanicTest, PortAndEventsAreProperties) {
  bench.add("pvpanic", {{"ioport", "0x510"}, {"events", "1"}});
  EXPECT_EQ(bench.inb(0x510), 1u);
}

TEST_F(PvpanicTest, APanicPausesWhereItIsToPause) {
  actions().panic = PanicAction::Pause;
  bench.add("pvpanic");
  bench.outb(kPanicPort, 1);
  ASSERT_TRUE(hears());
  EXPECT_THAT(heard, ElementsAre("GUEST_PANICKED pause"));
  EXPECT_TRUE(
      bench.run_until([this] { return bench.machine().run_state() == RunState::GuestPanicked; }));
}

TEST_F(PvpanicTest, APanicEndsTheMachineUnlessItIsToPauseInstead) {
  bench.add("pvpanic");
  bench.outb(kPanicPort, 3);
  ASSERT_TRUE(hears());
  EXPECT_THAT(heard, ElementsAre("GUEST_PANICKED poweroff"));
  EXPECT_TRUE(bench.run_until([this] { return bench.machine().exit_code() == 0; }));
}

TEST_F(PvpanicTest, NoShutdownIsToPause) {
  bench.machine().config.no_shutdown = true;
  bench.add("pvpanic");
  bench.outb(kPanicPort, 1);
  ASSERT_TRUE(hears());
  EXPECT_THAT(heard, ElementsAre("GUEST_PANICKED pause"));
  EXPECT_FALSE(bench.machine().exit_code());
}

TEST_F(PvpanicTest, APanicCanBeTheProgramsFailure) {
  actions().panic = PanicAction::ExitFailure;
  bench.add("pvpanic");
  bench.outb(kPanicPort, 1);
  EXPECT_TRUE(bench.run_until([this] { return bench.machine().exit_code() == 1; }));
}

TEST_F(PvpanicTest, WhatMayGoOnIsToldOnceASecond) {
  actions().panic = PanicAction::None;
  bench.add("pvpanic");
  bench.outb(kPanicPort, 1);
  bench.outb(kPanicPort, 1);
  bench.outb(kPanicPort, 1);
  ASSERT_TRUE(hears());
  EXPECT_THAT(heard, ElementsAre("GUEST_PANICKED run"));
  EXPECT_TRUE(bench.machine().running());
}

TEST_F(PvpanicTest, ACrashKernelIsNoPanic) {
  bench.add("pvpanic");
  bench.outb(kPanicPort, 2);
  ASSERT_TRUE(hears());
  EXPECT_THAT(heard, ElementsAre("GUEST_CRASHLOADED run"));
  EXPECT_TRUE(bench.machine().running());
}

TEST_F(PvpanicTest, OtherEventsAreIgnored) {
  bench.add("pvpanic");
  bench.outb(kPanicPort, 0xfc);
  bench.machine().loop().iterate(false);
  EXPECT_THAT(heard, IsEmpty());
}

TEST_F(PvpanicTest, OnPciItIsABar) {
  actions().panic = PanicAction::Pause;
  bench.add("pvpanic-pci", {{"addr", "3"}});
  EXPECT_EQ(bench.config_read(3 << 3, 0, 4), 0x0011'1b36u);
  EXPECT_EQ(bench.config_read(3 << 3, pci::kRevision, 4), 0x0880'0001u);
  bench.config_write(3 << 3, pci::kBar0, 0xfe00'0000, 4);
  bench.config_write(3 << 3, pci::kCommand, pci::kCommandMemory, 2);
  EXPECT_EQ(bench.load(0xfe00'0000, 1), 3u);
  bench.store(0xfe00'0000, 1, 1);
  ASSERT_TRUE(hears());
  EXPECT_THAT(heard, ElementsAre("GUEST_PANICKED pause"));
}

}  // namespace
}  // namespace rhea::test
