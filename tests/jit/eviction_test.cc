// SPDX-License-Identifier: GPL-2.0-or-later
// Host code that makes room for other: a region of the buffer at a time, never all.
#include "tests/jit/row_guest.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr std::size_t kLeastCode = 256 * KiB;
/// More blocks than fit, of this code.
constexpr u32 kTooMany = 2000;

/// Executes MOV EAX, `number`; ADD [kData], EAX at `at`, with a HLT behind it; EAX afterwards.
u64 run_addition(RowGuest& guest, u64 at, u32 number) {
  std::vector<u8> code{0xb8, 0, 0, 0, 0, 0x01, 0x04, 0x25, 0, 0, 0x02, 0, 0xf4};
  std::memcpy(&code[1], &number, 4);
  guest.store(at, code);
  RowState state;
  state.rip = at;
  return guest.run(state).gpr[x86::Rax];
}

/// Always other code in the same place: how often it has not done what it says.
unsigned run_different_code(RowGuest& guest, u32 blocks) {
  unsigned wrong = 0;
  for (u32 n = 1; n <= blocks; ++n)
    if (run_addition(guest, RowGuest::kCode, n) != n) ++wrong;
  return wrong;
}

class Eviction : public testing::Test {
 protected:
  RowGuest guest_{true, RowMode::Long, kLeastCode};
};

TEST_F(Eviction, CodeWithoutEndIsExecutedInLittleRoom) {
  EXPECT_EQ(run_different_code(guest_, kTooMany), 0U);
  u32 sum = 0;
  std::memcpy(&sum, guest_.memory() + RowGuest::kData, sizeof sum);
  EXPECT_EQ(sum, kTooMany * (kTooMany + 1) / 2);
  EXPECT_GT(guest_.counts().evicted, 0U);
}

TEST_F(Eviction, KeepsWhatIsNotOldest) {
  run_different_code(guest_, kTooMany);
  EXPECT_EQ(guest_.counts().clears, 0U);
  EXPECT_GT(guest_.counts().host_bytes, kLeastCode / 2);
  EXPECT_LE(guest_.counts().host_bytes, kLeastCode);
}

TEST_F(Eviction, WhatWasEvictedIsTranslatedAnew) {
  run_addition(guest_, RowGuest::kCode + 0x1000, 5);
  run_different_code(guest_, kTooMany);
  RowState state;
  state.rip = RowGuest::kCode + 0x1000;
  EXPECT_EQ(guest_.run(state).gpr[x86::Rax], 5U);
}

TEST_F(Eviction, MemoryDoesNotGrow) {
  run_different_code(guest_, kTooMany);
  const std::size_t before = guest_.code_size();
  run_different_code(guest_, kTooMany);
  EXPECT_LE(guest_.code_size(), before + kLeastCode / 4);
}

}  // namespace
}  // namespace rhea::test
