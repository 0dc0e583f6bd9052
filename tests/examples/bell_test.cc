// SPDX-License-Identifier: GPL-2.0-or-later
// The smallest example device.
#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

TEST(Bell, RingsUntilItIsSilencedResetOrUnplugged) {
  constexpr unsigned devfn = 3 << 3;
  constexpr u64 base = 0xfe00'0000;
  Bench bench;
  bench.add("bell", {{"addr", "3"}});
  const auto map = [&] {
    bench.config_write(devfn, pci::kBar0, base, 4);
    bench.config_write(devfn, pci::kCommand, pci::kCommandMemory, 2);
  };
  map();
  bench.store(base, 5, 4);
  EXPECT_TRUE(bench.intx(3));
  const auto saved = bench.save();
  bench.store(base, 0, 4);
  EXPECT_FALSE(bench.intx(3));
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(bench.load(base, 4), 5u);
  EXPECT_TRUE(bench.intx(3));
  bench.reset();
  map();
  EXPECT_EQ(bench.load(base, 4), 0u);
  EXPECT_FALSE(bench.intx(3));
}

}  // namespace
}  // namespace rhea::test
