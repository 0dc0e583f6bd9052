// SPDX-License-Identifier: GPL-2.0-or-later
// What memory modules say of themselves.
#include "hw/i2c/module_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace rhea::hw {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Bytes that a module has by what it says of rows, columns, banks and ranks.
u64 size_by_geometry(const ModuleData& data) {
  const u64 rank = (u64{1} << (data[3] + data[4])) * data[17] * data[6] / 8;
  return rank * (data[2] == 8 ? (data[5] & 7) + 1 : data[5]);
}

u8 sum_of(const ModuleData& data) {
  return std::accumulate(data.begin(), data.begin() + 63, u8{0},
                         [](u8 a, u8 b) { return static_cast<u8>(a + b); });
}

TEST(MemoryModules, MakeUpTheMemoryOfPowersOfTwo) {
  EXPECT_THAT(memory_modules(128 * MiB, 8), ElementsAre(128 * MiB));
  EXPECT_THAT(memory_modules(3 * GiB, 8), ElementsAre(2 * GiB, GiB));
  EXPECT_THAT(memory_modules(1000 * MiB, 8),
              ElementsAre(512 * MiB, 256 * MiB, 128 * MiB, 64 * MiB, 32 * MiB, 8 * MiB));
  EXPECT_THAT(memory_modules(300 * GiB, 8),
              ElementsAre(128 * GiB, 128 * GiB, 32 * GiB, 8 * GiB, 4 * GiB));
}

TEST(MemoryModules, LeaveOutWhatTheSocketsDoNotHold) {
  EXPECT_THAT(memory_modules(5 * GiB, 1), ElementsAre(4 * GiB));
  EXPECT_THAT(memory_modules(2 * MiB, 8), IsEmpty());
}

class OfSize : public testing::TestWithParam<u64> {};

TEST_P(OfSize, ItsGeometryAndSumAreRight) {
  const ModuleData data = module_data(GetParam(), 3);
  EXPECT_EQ(size_by_geometry(data), GetParam());
  EXPECT_EQ(data[63], sum_of(data));
  EXPECT_EQ(data[95], 4);
}

INSTANTIATE_TEST_SUITE_P(ModuleData, OfSize,
                         testing::Values(4 * MiB, 16 * MiB, 64 * MiB, 128 * MiB, 256 * MiB,
                                         512 * MiB, 1 * GiB, 2 * GiB, 4 * GiB, 16 * GiB, 64 * GiB,
                                         128 * GiB));

TEST(ModuleData, SdramTellsItsRanksSizeInUnitsOfFourMebibytes) {
  const ModuleData data = module_data(128 * MiB, 0);
  EXPECT_EQ(data[2], 4);
  EXPECT_EQ(data[5], 1);
  EXPECT_EQ(data[31], 0x20);
  EXPECT_EQ(module_data(GiB, 0)[5], 2);
  EXPECT_EQ(module_data(GiB, 0)[31], 0x80);
}

TEST(ModuleData, LargerOnesAreDdr2) {
  const ModuleData data = module_data(2 * GiB, 0);
  EXPECT_EQ(data[2], 8);
  EXPECT_EQ(data[5] & 7, 0);
  EXPECT_EQ(data[31], 0x02);
  EXPECT_EQ(module_data(16 * GiB, 0)[31], 0x10);
  EXPECT_EQ(module_data(128 * GiB, 0)[5] & 7, 7);
}

}  // namespace
}  // namespace rhea::hw
