// SPDX-License-Identifier: GPL-2.0-or-later
// One table of the TLB: what goes with a large page, and with everything.
#include "target/x86/tlb.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace rhea::test {
namespace {

constexpr u64 kLarge = u64{2} << 20;
constexpr unsigned kLargeShift = 21;

class TlbTable : public ::testing::Test {
 protected:
  void put(u64 linear) { tlb_.put(linear, host_.data(), host_.data(), room_); }
  /// So many pages one behind the other.
  void put_pages(u64 first, u64 count) {
    for (u64 n = 0; n < count; ++n) put(first + n * 0x1000);
  }
  bool has(u64 linear) const {
    return tlb_.view().find_read(linear, 1) != nullptr ||
           tlb_.view().find_write(linear, 1) != nullptr;
  }
  unsigned count() const {
    unsigned entries = 0;
    tlb_.visit([&](const x86::TlbEntry&, bool) { ++entries; });
    return entries;
  }

  std::array<u8, 0x1000> host_{};
  u64 room_{0x4'0000};
  x86::Tlb tlb_;
};

TEST_F(TlbTable, FewPiecesOfALargePageGoWithItAndItsNeighboursStay) {
  put(kLarge - 0x1000);
  put(kLarge);
  put(2 * kLarge - 0x1000);
  put(2 * kLarge);
  tlb_.drop_range(kLarge + 0x5000, kLargeShift);
  EXPECT_TRUE(has(kLarge - 0x1000));
  EXPECT_FALSE(has(kLarge));
  EXPECT_FALSE(has(2 * kLarge - 0x1000));
  EXPECT_TRUE(has(2 * kLarge));
}

TEST_F(TlbTable, ManyPiecesOfALargePageGoWithItAndItsNeighboursStay) {
  put_pages(kLarge - 0x80 * 0x1000, 0x300);
  tlb_.drop_range(kLarge, kLargeShift);
  EXPECT_EQ(count(), 2U * (0x300 - 0x200));
  EXPECT_TRUE(has(kLarge - 0x1000));
  EXPECT_TRUE(has(2 * kLarge));
}

TEST_F(TlbTable, PiecesOfAPageLargerThanTheTableGo) {
  constexpr unsigned kHugeShift = 30;
  put_pages(0, 0x300);
  tlb_.drop_range(0, kHugeShift);
  EXPECT_EQ(count(), 0U);
}

TEST_F(TlbTable, FewEntriesAreCleared) {
  put(kLarge);
  tlb_.clear(room_);
  EXPECT_EQ(count(), 0U);
}

TEST_F(TlbTable, ManyEntriesAreClearedAndThenFewAgain) {
  put_pages(kLarge, 0x100);
  tlb_.clear(room_);
  EXPECT_EQ(count(), 0U);
  put(kLarge);
  tlb_.clear(room_);
  EXPECT_EQ(count(), 0U);
}

TEST_F(TlbTable, EntriesOfATableThatHasGrownAreCleared) {
  put_pages(0, 0x2000);
  tlb_.clear(room_);
  EXPECT_EQ(count(), 0U);
}

}  // namespace
}  // namespace rhea::test
