// SPDX-License-Identifier: GPL-2.0-or-later
// Guest memory that goes back to the host.
#include "softmmu/discard.h"

#include "tests/support/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

namespace rhea::test {
namespace {

using testing::Each;

constexpr u64 kBlockAt = 0x1000'0000, kBlockBytes = 4 * kPageSize;

class DiscardTest : public testing::Test {
 protected:
  void place(RamBacking backing) {
    std::shared_ptr<RamBlock> block = *RamBlock::create("block", kBlockBytes, {.backing = backing});
    host = block->host();
    region.init_ram_shared(nullptr, "block", std::move(block));
    bench.machine().system_memory().add(kBlockAt, region);
    std::memset(host, 0xaa, kBlockBytes);
  }
  bool resident(u64 page) {
    unsigned char there{};
    ::mincore(host + page * kPageSize, kPageSize, &there);
    return (there & 1) != 0;
  }
  Result<u64> discard(u64 offset, u64 length) {
    return discard_memory(bench.machine().memory(), kBlockAt + offset, length);
  }
  Bench bench;
  Region region;
  u8* host{};
};

TEST_F(DiscardTest, PrivateMemoryIsFreedAndReadsAsZeroes) {
  place(RamBacking::Anonymous);
  EXPECT_EQ(*discard(kPageSize, kPageSize), kPageSize);
  EXPECT_TRUE(resident(0));
  EXPECT_FALSE(resident(1));
  EXPECT_THAT(bench.read(kBlockAt + kPageSize, kPageSize), Each(0));
}

TEST_F(DiscardTest, SharedMemoryIsFreedForAll) {
  place(RamBacking::Memfd);
  EXPECT_EQ(*discard(0, 2 * kPageSize), 2 * kPageSize);
  EXPECT_FALSE(resident(0));
  EXPECT_FALSE(resident(1));
  EXPECT_TRUE(resident(2));
}

TEST_F(DiscardTest, PartsOfPagesStay) {
  place(RamBacking::Anonymous);
  EXPECT_EQ(*discard(1, 2 * kPageSize), kPageSize);
  EXPECT_EQ(host[0], 0xaa);
  EXPECT_EQ(host[kPageSize], 0);
  EXPECT_EQ(host[2 * kPageSize], 0xaa);
}

TEST_F(DiscardTest, WhereNoMemoryIsNothingGoes) {
  place(RamBacking::Anonymous);
  EXPECT_EQ(*discard(kBlockBytes, kPageSize), 0u);
  EXPECT_EQ(*discard(0, ~u64{0}), kBlockBytes) << "to the end of all addresses";
  EXPECT_EQ(*discard(0, 0), 0u);
}

TEST_F(DiscardTest, ItCountsAsAWrite) {
  place(RamBacking::Anonymous);
  region.ram()->set_logging(DirtyClient::Migration, true);
  ASSERT_TRUE(discard(kPageSize, kPageSize));
  EXPECT_FALSE(region.ram()->test_dirty(DirtyClient::Migration, 0, kPageSize));
  EXPECT_TRUE(region.ram()->test_dirty(DirtyClient::Migration, kPageSize, kPageSize));
}

}  // namespace
}  // namespace rhea::test
