// SPDX-License-Identifier: GPL-2.0-or-later
// Accesses across a device and memory: the device may change where memory lies.
#include "tests/support/cpu_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

/// Linear 0x600000 is memory at 0x200000; what lies in front of it is a device.
class MemoryAcrossADevice : public ::testing::Test {
 protected:
  static constexpr u64 kBoundary = 0x60'0000, kMemory = 0x20'0000;
  MemoryAcrossADevice() {
    bench.enter_long();
    bench.poke<u64>(CpuBench::kTables + 0x2000 + 8 * (kBoundary >> 21), kMemory | 0x87);
    bench.on_device = [this] { bench.move_memory(); };
  }
  CpuBench bench;
};

TEST_F(MemoryAcrossADevice, AStoreFindsItWhereItIsNow) {
  bench.cpu.write<u64>(x86::Ds, kBoundary - 4, 0x1122'3344'5566'7788);
  EXPECT_EQ(bench.peek<u32>(kMemory), 0x1122'3344U);
}

TEST_F(MemoryAcrossADevice, ALoadFindsItWhereItIsNow) {
  bench.poke<u32>(kMemory, 0x1122'3344);
  EXPECT_EQ(bench.cpu.read<u64>(x86::Ds, kBoundary - 4) >> 32, 0x1122'3344U);
}

}  // namespace
}  // namespace rhea::test
