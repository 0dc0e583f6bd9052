// SPDX-License-Identifier: GPL-2.0-or-later
// Pages with decoded code while several threads write and decode.
#include "accel/jit/code_map.h"

#include <gtest/gtest.h>

#include <thread>

namespace rhea::test {
namespace {

/// A page of a block of RAM, watched.
struct CodeMapTest : testing::Test {
  CodeMapTest() {
    page.watch([] {});
  }
  jit::CodePages pages{std::shared_ptr<RamBlock>(RamBlock::create("ram", kPageSize, {}).value())};
  jit::CodePage& page{pages.at(0)};
};

TEST_F(CodeMapTest, AStoreVoidsWhatItHits) {
  ASSERT_TRUE(page.add_code(0, 3));
  const u64 before = page.generation();
  EXPECT_FALSE(page.stored(0x800, 0x803));
  EXPECT_EQ(page.generation(), before);
  EXPECT_TRUE(page.stored(3, 6));
  EXPECT_NE(page.generation(), before);
}

TEST_F(CodeMapTest, APageThatIsOnlyWrittenIsNotWatchedForEver) {
  for (unsigned store = 0; store < 100; ++store) page.stored(0, 3);
  EXPECT_FALSE(page.watched());
  EXPECT_FALSE(page.add_code(0, 3));
}

// While another processor may still have a TLB entry from before.
TEST(CodeMap, CodeWaitsForTheLastEntryToGo) {
  const jit::CodePages pages{
      std::shared_ptr<RamBlock>(RamBlock::create("ram", kPageSize, {}).value())};
  jit::CodePage& page = pages.at(0);
  page.watch([&] {
    EXPECT_TRUE(page.watched());
    EXPECT_FALSE(page.guarded());
    EXPECT_FALSE(page.add_code(0, 3));
    page.watch([] {});  // by another one, who is faster
    EXPECT_TRUE(page.add_code(0, 3));
    EXPECT_TRUE(page.stored(0, 3));
    // Or the first would guard what somebody may write again.
    for (unsigned store = 0; store < 100; ++store) page.stored(0, 3);
    EXPECT_TRUE(page.watched());
  });
  EXPECT_TRUE(page.guarded());
}

// Both have code in the same line: whose store is the second finds the line forgotten already.
TEST_F(CodeMapTest, NoStoreReturnsBeforeTheCodeIsVoid) {
  const auto change_code = [this](unsigned at) {
    unsigned missed = 0;
    for (unsigned round = 0; round < 500'000; ++round) {
      const u64 decoded = page.generation();
      page.add_code(at, at + 3);
      page.stored(at, at + 3);
      if (page.generation() == decoded) ++missed;
    }
    return missed;
  };
  unsigned missed_there = 0;
  std::jthread other([&] { missed_there = change_code(64); });
  const unsigned missed_here = change_code(0);
  other.join();
  EXPECT_EQ(missed_here, 0U);
  EXPECT_EQ(missed_there, 0U);
}

// Whoever drops the mark of a device's store has voided the code before.
TEST_F(CodeMapTest, ADevicesStoreIsAlwaysSeen) {
  RamBlock& ram = *pages.ram();
  std::jthread decoder([&](const std::stop_token& stop) {
    while (!stop.stop_requested())
      if (ram.test_dirty(DirtyClient::Code, 0, kPageSize))
        page.invalidate([&] { ram.test_and_clear_dirty(DirtyClient::Code, 0, kPageSize); });
  });
  unsigned missed = 0;
  for (unsigned round = 0; round < 500'000; ++round) {
    const u64 decoded = page.generation();
    page.add_code(0, 3);
    if (ram.test_dirty(DirtyClient::Code, 0, kPageSize)) continue;  // not a good block
    ram.mark_dirty(0, 4);
    // The order in which a block is looked at.
    if (!ram.test_dirty(DirtyClient::Code, 0, kPageSize) && page.generation() == decoded) ++missed;
  }
  EXPECT_EQ(missed, 0U);
}

}  // namespace
}  // namespace rhea::test
