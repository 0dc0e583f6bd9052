// SPDX-License-Identifier: GPL-2.0-or-later
// The example device, without a guest.
#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr unsigned kDevfn = 3 << 3;
constexpr u64 kBase = 0xfe00'0000, kRing = kBase, kQuiet = kBase + 4;

class MinimalPci : public testing::Test {
 protected:
  MinimalPci() {
    bench.add("minimal-pci", {{"addr", "3"}, {"step", "5"}});
    map();
  }
  void map() {
    bench.config_write(kDevfn, pci::kBar0, kBase, 4);
    bench.config_write(kDevfn, pci::kCommand, pci::kCommandMemory, 2);
  }
  Bench bench;
};

TEST_F(MinimalPci, RingingCountsAndInterrupts) {
  bench.store(kRing, 1, 4);
  bench.store(kRing, 1, 4);
  EXPECT_EQ(bench.load(kRing, 4), 10u);
  EXPECT_TRUE(bench.intx(3));
}

TEST_F(MinimalPci, AcknowledgingLowersTheLine) {
  bench.store(kRing, 1, 4);
  bench.store(kQuiet, 1, 4);
  EXPECT_FALSE(bench.intx(3));
  EXPECT_EQ(bench.load(kQuiet, 4), 0u);
}

TEST_F(MinimalPci, ResetForgets) {
  bench.store(kRing, 1, 4);
  bench.reset();
  map();
  EXPECT_EQ(bench.load(kRing, 4), 0u);
  EXPECT_FALSE(bench.intx(3));
}

TEST_F(MinimalPci, ASnapshotBringsCountInterruptAndMappingBack) {
  bench.store(kRing, 1, 4);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(bench.load(kRing, 4), 5u);
  EXPECT_TRUE(bench.intx(3));
}

TEST_F(MinimalPci, AStepOutOfRangeIsRefused) {
  EXPECT_FALSE(bench.try_add("minimal-pci", {{"step", "101"}}));
}

}  // namespace
}  // namespace rhea::test
