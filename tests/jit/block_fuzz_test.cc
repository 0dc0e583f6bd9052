// SPDX-License-Identifier: GPL-2.0-or-later
// Translated code does what the interpreter does, wherever both can be compared: random blocks with
// page faults, stores into their own code, interrupts and another processor's and devices' stores.
// RHEA_CODE_BLOCKS says how many, RHEA_CODE_SEED where to begin.
#include "tests/jit/block_pair.h"
#include "tests/support/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr u64 kUsualCount = 100'000;

TEST(BlockFuzz, TranslatedBlocksDoWhatTheInterpreterDoes) {
  const u64 wanted = from_environment("RHEA_CODE_BLOCKS", kUsualCount);
  BlockPair pair;
  for (u64 seed = from_environment("RHEA_CODE_SEED", 1); pair.blocks() < wanted; ++seed)
    ASSERT_EQ(run_blocks(pair, seed), "");
  RecordProperty("blocks", std::to_string(pair.blocks()));
  RecordProperty("evicted", std::to_string(pair.evicted()));
  RecordProperty("instructions", std::to_string(pair.instructions()));
  // Or the seeds would all have been given up.
  EXPECT_GT(pair.instructions(), pair.blocks());
  EXPECT_GT(pair.evicted(), 0U);
}

// One processor's code is another's: so is where the interpreter comes to.
TEST(BlockFuzz, FindsADifferenceAndSaysWhatWasExecuted) {
  BlockPair pair;
  pair.when_started([](BlockGuest& translated) {
    const std::array<u8, 2> increment{0xfe, 0xc0};  // INC AL, over and over
    for (u64 at = 0; at < BlockGuest::kCodeSize; at += 2)
      translated.write_by_device(BlockGuest::kCodeStart + at, increment);
  });
  const std::string found = pair.run({.seed = 1, .strict = true}).value_or("");
  EXPECT_THAT(found, testing::HasSubstr("executed (interpreter):"));
  EXPECT_THAT(found, testing::HasSubstr("of seed 1"));
}

}  // namespace
}  // namespace rhea::test
