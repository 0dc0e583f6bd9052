// SPDX-License-Identifier: GPL-2.0-or-later
// The set of pages that INVLPG asks whether code was found there.
#include "target/x86/hashed_pages.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

class HashedPagesTest : public ::testing::Test {
 protected:
  void add_pages(u64 first, u64 count) {
    for (u64 n = 0; n < count; ++n) pages_.add(first + n * 0x1000, 12);
  }
  /// How many of these it claims to hold.
  u64 claimed(u64 first, u64 count) const {
    u64 claims = 0;
    for (u64 n = 0; n < count; ++n) claims += pages_.has(first + n * 0x1000) ? 1 : 0;
    return claims;
  }

  static constexpr u64 kCode = 0x40'0000, kData = u64{0x7f12} << 32, kMany = 0x1'0000;
  x86::HashedPages pages_;
};

TEST_F(HashedPagesTest, OfNothingHasNothing) { EXPECT_EQ(claimed(kData, kMany), 0U); }

TEST_F(HashedPagesTest, HasWhatWasAddedByAnyOfItsBytes) {
  pages_.add(kCode, 21);
  EXPECT_TRUE(pages_.has(kCode + 0x1f'ffff));
  EXPECT_FALSE(pages_.has(kCode + 0x20'0000));
}

TEST_F(HashedPagesTest, ClaimsNoOthersAsLongAsThereAreNotTooMany) {
  add_pages(kCode, x86::HashedPages::kMostExact);
  EXPECT_EQ(claimed(kCode, x86::HashedPages::kMostExact), x86::HashedPages::kMostExact);
  EXPECT_EQ(claimed(kData, kMany), 0U);
}

TEST_F(HashedPagesTest, PagesAddedAgainAreNotCountedTwice) {
  add_pages(kCode, x86::HashedPages::kMostExact);
  add_pages(kCode, x86::HashedPages::kMostExact);
  EXPECT_EQ(claimed(kData, kMany), 0U);
}

TEST_F(HashedPagesTest, OfTooManyMissesNone) {
  add_pages(kCode, 4 * x86::HashedPages::kMostExact);
  EXPECT_EQ(claimed(kCode, 4 * x86::HashedPages::kMostExact), 4 * x86::HashedPages::kMostExact);
}

TEST_F(HashedPagesTest, OnceClearedHasNothing) {
  add_pages(kCode, 4 * x86::HashedPages::kMostExact);
  pages_.clear();
  EXPECT_EQ(claimed(kCode, 4 * x86::HashedPages::kMostExact), 0U);
}

}  // namespace
}  // namespace rhea::test
