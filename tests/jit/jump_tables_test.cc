// SPDX-License-Identifier: GPL-2.0-or-later
// Where translated code looks addresses up, from address space to address space.
#include "accel/jit/jump_tables.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>

namespace rhea::test {
namespace {

using jit::JumpTables;

constexpr u32 kUserMode = 0xa, kKernelMode = 2;
constexpr u64 kRip = 0x401000;
constexpr u8 kCode{};

void visit_spaces(JumpTables& tables, x86::CodeEpochs& epochs, std::size_t count) {
  for (std::size_t n = 0; n < count; ++n) {
    epochs.now = epochs.next();
    tables.of(kUserMode, true, epochs);
  }
}

TEST(JitJumpTables, AUsersAddressIsFoundAgainBehindAnotherSpace) {
  JumpTables tables;
  x86::CodeEpochs epochs;
  const u64 first = epochs.now, second = epochs.next();
  tables.of(kUserMode, true, epochs);
  tables.put(kRip, &kCode, false);
  epochs.now = second;
  tables.of(kUserMode, true, epochs);
  EXPECT_EQ(tables.find(kRip), nullptr);
  epochs.now = first;
  tables.of(kUserMode, true, epochs);
  EXPECT_EQ(tables.find(kRip), &kCode);
}

/// Another address with the same slot.
u64 neighbour_of(u64 rip) {
  u64 other = rip + 1;
  while (x86::JumpTable::slot(other) != x86::JumpTable::slot(rip)) ++other;
  return other;
}

TEST(JitJumpTables, TwoAddressesOfOneSlotAreBothFound) {
  constexpr u8 kOther{};
  const u64 other = neighbour_of(kRip);
  JumpTables tables;
  tables.of(kUserMode, true, {});
  tables.put(kRip, &kCode, false);
  tables.put(other, &kOther, false);
  EXPECT_EQ(tables.find(kRip), &kCode);
  EXPECT_EQ(tables.find(other), &kOther);
}

TEST(JitJumpTables, AnAddressThatIsPutAgainLeavesItsNeighbourAlone) {
  constexpr u8 kOther{};
  const u64 other = neighbour_of(kRip);
  JumpTables tables;
  tables.of(kUserMode, true, {});
  tables.put(other, &kOther, false);
  tables.put(kRip, &kOther, false);
  tables.put(kRip, &kCode, false);
  EXPECT_EQ(tables.find(kRip), &kCode);
  EXPECT_EQ(tables.find(other), &kOther);
}

TEST(JitJumpTables, AnAddressPutBackIntoItsSlotIsThereOnce) {
  constexpr u8 kOther{};
  const u64 other = neighbour_of(kRip);
  JumpTables tables;
  x86::JumpTable& table = tables.of(kUserMode, true, {});
  tables.put(kRip, &kOther, false);
  tables.put(other, &kOther, false);
  tables.put(kRip, &kCode, false);
  EXPECT_EQ(std::ranges::count(table.entries, kRip, &x86::JumpTable::Entry::rip), 1);
  EXPECT_EQ(tables.find(kRip), &kCode);
}

TEST(JitJumpTables, AddressZeroIsNotFoundInWhatHasNeverBeenPut) {
  JumpTables tables;
  x86::JumpTable& table = tables.of(kUserMode, true, {});
  EXPECT_EQ(std::ranges::count(std::span(table.entries).first(2), 0U, &x86::JumpTable::Entry::rip),
            0);
}

TEST(JitJumpTables, AddressZeroIsNotFoundWhereCodeHasBeenForgotten) {
  const std::array<u8, 2> code{};
  JumpTables tables;
  x86::JumpTable& table = tables.of(kUserMode, true, {});
  tables.put(0, code.data(), false);
  tables.put(neighbour_of(0), code.data(), false);
  tables.forget(code.data(), code.data() + code.size());
  EXPECT_EQ(std::ranges::count(std::span(table.entries).first(2), 0U, &x86::JumpTable::Entry::rip),
            0);
}

TEST(JitJumpTables, TheSupervisorsGlobalCodeIsFoundInEachSpace) {
  JumpTables tables;
  x86::CodeEpochs epochs;
  tables.of(kKernelMode, false, epochs);
  tables.put(kRip, &kCode, true);
  epochs.now = epochs.next();
  tables.of(kKernelMode, false, epochs);
  EXPECT_EQ(tables.find(kRip), &kCode);
}

TEST(JitJumpTables, TheSupervisorsOtherCodeIsFoundAgainInItsSpace) {
  JumpTables tables;
  x86::CodeEpochs epochs;
  const u64 first = epochs.now;
  tables.of(kKernelMode, false, epochs);
  tables.put(kRip, &kCode, false);
  epochs.now = epochs.next();
  tables.of(kKernelMode, false, epochs);
  EXPECT_EQ(tables.find(kRip), nullptr);
  epochs.now = first;
  tables.of(kKernelMode, false, epochs);
  EXPECT_EQ(tables.find(kRip), &kCode);
}

TEST(JitJumpTables, TheSupervisorsStaysWhileMoreUsersComeThanThereAreTables) {
  JumpTables tables;
  x86::CodeEpochs epochs;
  tables.of(kKernelMode, false, epochs);
  tables.put(kRip, &kCode, true);
  for (std::size_t n = 0; n < 2 * JumpTables::kMost; ++n) {
    visit_spaces(tables, epochs, 1);
    tables.of(kKernelMode, false, epochs);
  }
  EXPECT_EQ(tables.find(kRip), &kCode);
}

TEST(JitJumpTables, ATableThatBecomesAUsersIsNotTheSupervisorsAnyMore) {
  JumpTables tables;
  x86::CodeEpochs epochs;
  tables.of(kKernelMode, false, epochs);
  tables.put(kRip, &kCode, true);
  visit_spaces(tables, epochs, 2 * JumpTables::kMost);
  tables.of(kKernelMode, false, epochs);
  EXPECT_EQ(tables.find(kRip), nullptr);
}

TEST(JitJumpTables, TheSupervisorsOtherCodeIsNot) {
  JumpTables tables;
  x86::CodeEpochs epochs;
  tables.of(kKernelMode, false, epochs);
  tables.put(kRip, &kCode, false);
  epochs.now = epochs.next();
  tables.of(kKernelMode, false, epochs);
  EXPECT_EQ(tables.find(kRip), nullptr);
}

TEST(JitJumpTables, AnAddressInAnotherCodeSegmentIsAnother) {
  constexpr u32 kRealMode = 4;
  const jit::CodeSegment first{.base = 0x1'0000, .limit = 0xffff},
      second{.base = 0x2'0000, .limit = 0xffff};
  JumpTables tables;
  const x86::CodeEpochs epochs;
  tables.of(kRealMode, false, epochs, first);
  tables.put(kRip, &kCode, false);
  tables.of(kRealMode, false, epochs, second);
  EXPECT_EQ(tables.find(kRip), nullptr);
  tables.of(kRealMode, false, epochs, first);
  EXPECT_EQ(tables.find(kRip), &kCode);
}

TEST(JitJumpTables, ChangedGlobalPagesAreForgottenByAll) {
  JumpTables tables;
  x86::CodeEpochs epochs;
  tables.of(kKernelMode, false, epochs);
  tables.put(kRip, &kCode, true);
  tables.of(kUserMode, true, epochs);
  tables.put(kRip, &kCode, false);
  epochs.global = epochs.next();
  tables.of(kKernelMode, false, epochs);
  EXPECT_EQ(tables.find(kRip), nullptr);
  tables.of(kUserMode, true, epochs);
  EXPECT_EQ(tables.find(kRip), nullptr);
}

TEST(JitJumpTables, ModesDoNotShareATable) {
  JumpTables tables;
  x86::CodeEpochs epochs;
  tables.of(kKernelMode, false, epochs);
  tables.put(kRip, &kCode, true);
  tables.of(kKernelMode + 1, false, epochs);
  EXPECT_EQ(tables.find(kRip), nullptr);
}

TEST(JitJumpTables, WhoTakesTheOldestsPlaceFindsNothingInIt) {
  JumpTables tables;
  x86::CodeEpochs epochs;
  tables.of(kUserMode, true, epochs);
  tables.put(kRip, &kCode, false);
  visit_spaces(tables, epochs, JumpTables::kMost - 1);
  epochs.now = epochs.next();
  tables.of(kUserMode, true, epochs);
  EXPECT_EQ(tables.find(kRip), nullptr);
}

}  // namespace
}  // namespace rhea::test
