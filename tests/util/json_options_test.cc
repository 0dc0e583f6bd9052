// SPDX-License-Identifier: GPL-2.0-or-later
// Option arguments in JSON, and -dfilter's ranges.
#include "rhea/util/json_options.h"

#include "rhea/util/log_filter.h"

#include <gtest/gtest.h>

namespace rhea {
namespace {

std::string shown(std::string_view text) {
  const auto options = parse_options(text, "driver");
  if (!options) return options.error().message();
  std::string all;
  for (const auto& [key, value] : options->all()) all += key + "=" + value + ";";
  return all;
}

TEST(JsonOptions, MembersAreKeysInTheirOrder) {
  EXPECT_EQ(shown(R"({"driver":"edu","id":"e,0","dma_mask":255,"x":true,"y":false,"z":1.5})"),
            "driver=edu;id=e,0;dma_mask=255;x=on;y=off;z=1.5;");
}

TEST(JsonOptions, NestedOnesHaveDots) {
  EXPECT_EQ(shown(R"({"file":{"driver":"file","list":["a",{"b":1}]}})"),
            "file.driver=file;file.list.0=a;file.list.1.b=1;");
}

TEST(JsonOptions, AnythingElseIsKeysAndValues) {
  EXPECT_EQ(shown("edu,id=e0"), "driver=edu;id=e0;");
}

TEST(JsonOptions, ErrorsAreTold) {
  EXPECT_EQ(shown("{\"driver\""), "'{\"driver\"' is no valid JSON");
  EXPECT_EQ(shown("{\"a\":null}"), "'a': null is no value");
  std::string deep = "1";
  deep = std::string(50, '[') + deep + std::string(50, ']');
  EXPECT_NE(shown("{\"a\":" + deep + "}").find("nests too deeply"), std::string::npos);
}

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
