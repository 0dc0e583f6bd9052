// SPDX-License-Identifier: GPL-2.0-or-later
// The IB700's watchdog.
#include "rhea/softmmu/actions.h"
#include "rhea/softmmu/tool_events.h"
#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr u16 kIb700Stop = 0x441, kIb700Start = 0x443;
constexpr i64 kIb700Second = kNsPerSecond;

class Ib700Test : public testing::Test {
 protected:
  Ib700Test() {
    bench.machine().service<MachineActions>().watchdog = WatchdogAction::Pause;
    bench.machine().service<ToolEvents>().observe(
        [this](const std::string& name, const ToolEvents::Data&) { barks += name == "WATCHDOG"; });
    bench.add("ib700");
  }
  Bench bench;
  unsigned barks{0};
};

TEST_F(Ib700Test, ExpiresAfterThirtySecondsLessTwoForEach) {
  bench.outb(kIb700Start, 0);
  bench.advance(30 * kIb700Second - 1);
  EXPECT_EQ(barks, 0u);
  bench.advance(1);
  EXPECT_EQ(barks, 1u);
  bench.outb(kIb700Start, 0xfe);
  bench.advance(2 * kIb700Second);
  EXPECT_EQ(barks, 2u);
  bench.advance(100 * kIb700Second);
  EXPECT_EQ(barks, 2u);
}

TEST_F(Ib700Test, StartedAgainInTimeItKeepsQuiet) {
  bench.outb(kIb700Start, 10);
  bench.advance(9 * kIb700Second);
  bench.outb(kIb700Start, 10);
  bench.advance(9 * kIb700Second);
  EXPECT_EQ(barks, 0u);
  bench.advance(kIb700Second);
  EXPECT_EQ(barks, 1u);
}

TEST_F(Ib700Test, StopsAndIsStoppedByAReset) {
  bench.outb(kIb700Start, 14);
  bench.outb(kIb700Stop, 0);
  bench.advance(100 * kIb700Second);
  bench.outb(kIb700Start, 14);
  bench.reset();
  bench.advance(100 * kIb700Second);
  EXPECT_EQ(barks, 0u);
}

TEST_F(Ib700Test, ASnapshotHoldsTheTime) {
  bench.outb(kIb700Start, 14);
  bench.advance(kIb700Second);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  bench.advance(kIb700Second);
  EXPECT_EQ(barks, 1u);
}

}  // namespace
}  // namespace rhea::test
