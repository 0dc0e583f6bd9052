// SPDX-License-Identifier: GPL-2.0-or-later
// Option arguments in JSON.
#include "rhea/util/json_keyval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;

std::string flat(std::string_view text) {
  auto values = parse_json_or_keyval(text, "driver");
  if (!values) return "error: " + values.error().message();
  std::string all;
  for (const auto& [key, value] : values->all()) all += fmt::format("{}={};", key, value);
  return all;
}

TEST(JsonKeyval, MembersOfMembersAreDotted) {
  EXPECT_EQ(
      flat(R"({"driver":"file","cache":{"direct":true,"no-flush":false},"n":-3,"l":[1,"b"]})"),
      "cache.direct=on;cache.no-flush=off;driver=file;l.0=1;l.1=b;n=-3;");
}

TEST(JsonKeyval, OtherTextIsKeysAndValues) {
  EXPECT_EQ(flat("file,cache.direct=on"), "driver=file;cache.direct=on;");
  EXPECT_THAT(flat("file,readonly"), HasSubstr("Expected '=' after parameter 'readonly'"));
}

TEST(JsonKeyval, BrokenJsonIsRefused) {
  EXPECT_THAT(flat(R"({"driver":"file")"), HasSubstr("JSON parse error"));
  EXPECT_THAT(flat(R"({"a":1} x)"), HasSubstr("JSON parse error"));
  EXPECT_THAT(flat(R"({"a":null})"), HasSubstr("Invalid parameter type for 'a'"));
  EXPECT_THAT(flat(R"({"a":1,"a":2})"), HasSubstr("duplicate key 'a'"));
}

TEST(JsonKeyval, NestingAndSizeHaveBounds) {
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += R"({"a":)";
  EXPECT_THAT(flat(deep), HasSubstr("nested too deeply"));
  std::string wide = "{";
  for (int i = 0; i < 10000; ++i) wide += fmt::format("\"k{}\":1,", i);
  wide += "\"end\":1}";
  EXPECT_THAT(flat(wide), HasSubstr("too big"));
}

}  // namespace
}  // namespace rhea::test
