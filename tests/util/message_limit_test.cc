// SPDX-License-Identifier: GPL-2.0-or-later
// Messages held to a few.
#include "rhea/util/message_limit.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using std::chrono::seconds;

constexpr MessageLimit::Clock::time_point kStart{seconds(1000)};

TEST(MessageLimit, TheFirstMessagePassesAndTheNextOnesDoNot) {
  MessageLimit limit(seconds(10));
  EXPECT_EQ(limit.pass(kStart), 0U);
  EXPECT_EQ(limit.pass(kStart), std::nullopt);
  EXPECT_EQ(limit.pass(kStart + seconds(9)), std::nullopt);
}

TEST(MessageLimit, LaterOnePassesAndTellsHowManyDidNot) {
  MessageLimit limit(seconds(10));
  limit.pass(kStart);
  limit.pass(kStart + seconds(1));
  limit.pass(kStart + seconds(2));
  EXPECT_EQ(limit.pass(kStart + seconds(10)), 2U);
  EXPECT_EQ(limit.pass(kStart + seconds(20)), 0U);
}

TEST(MessageLimit, ABurstPassesWithinTheInterval) {
  MessageLimit limit(seconds(10), 2);
  EXPECT_EQ(limit.pass(kStart), 0U);
  EXPECT_FALSE(limit.full());
  EXPECT_EQ(limit.pass(kStart + seconds(9)), 0U);
  EXPECT_TRUE(limit.full());
  EXPECT_EQ(limit.pass(kStart + seconds(9)), std::nullopt);
  EXPECT_EQ(limit.pass(kStart + seconds(10)), 1U);
}

TEST(MessageLimit, WhoHasToldOfTheOthersForgetsThem) {
  MessageLimit limit(seconds(10));
  limit.pass(kStart);
  limit.pass(kStart);
  EXPECT_EQ(limit.held_back(), 1U);
  limit.forget();
  EXPECT_EQ(limit.pass(kStart + seconds(10)), 0U);
}

}  // namespace
}  // namespace rhea::test
