// SPDX-License-Identifier: GPL-2.0-or-later
// -dfilter's ranges.
#include "rhea/util/log_filter.h"

#include <gtest/gtest.h>

namespace rhea {
namespace {

class LogFilterTest : public testing::Test {
 protected:
  ~LogFilterTest() override { EXPECT_TRUE(set_log_filter("0..0xffffffffffffffff")); }
};

TEST_F(LogFilterTest, RangesAreWrittenInThreeWays) {
  ASSERT_TRUE(set_log_filter("0x100..0x1ff,0x1000+0x10,0x3000-0x10"));
  EXPECT_FALSE(log_filter_takes(0xff));
  EXPECT_TRUE(log_filter_takes(0x100));
  EXPECT_TRUE(log_filter_takes(0x1ff));
  EXPECT_FALSE(log_filter_takes(0x200));
  EXPECT_TRUE(log_filter_takes(0x100f));
  EXPECT_FALSE(log_filter_takes(0x1010));
  EXPECT_TRUE(log_filter_takes(0x2ff1));
  EXPECT_TRUE(log_filter_takes(0x3000));
  EXPECT_FALSE(log_filter_takes(0x2ff0));
}

TEST_F(LogFilterTest, WhatIsNoRangeIsNamed) {
  EXPECT_EQ(set_log_filter("1..2,nope").error().message(),
            "'nope' is no range of addresses: first..last, start+length, or end-length");
  EXPECT_FALSE(set_log_filter("2..1"));
  EXPECT_FALSE(set_log_filter("1+0"));
  EXPECT_FALSE(set_log_filter("0xffffffffffffffff+2"));
  EXPECT_FALSE(set_log_filter("1-3"));
  EXPECT_FALSE(set_log_filter(""));
}

}  // namespace
}  // namespace rhea
