// SPDX-License-Identifier: GPL-2.0-or-later
// Finding the ends of JSON messages.
#include "monitor/qmp/framer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::ElementsAre;

class FramerTest : public testing::Test {
 protected:
  std::vector<std::string> feed(std::string_view text) {
    std::vector<std::string> messages;
    framer_.feed(
        {reinterpret_cast<const u8*>(text.data()), text.size()},
        [&](Result<std::string_view> message) {
          messages.emplace_back(message ? std::string(*message) : "! " + message.error().message());
        });
    return messages;
  }
  qmp::Framer framer_;
};

TEST_F(FramerTest, objects_end_where_they_balance) {
  EXPECT_THAT(feed(R"({"a":{"b":[1]}}{"c":2})"), ElementsAre(R"({"a":{"b":[1]}})", R"({"c":2})"));
}

TEST_F(FramerTest, message_may_come_in_pieces) {
  EXPECT_THAT(feed("{\"a\""), ElementsAre());
  EXPECT_THAT(feed(": \n 1"), ElementsAre());
  EXPECT_THAT(feed("}"), ElementsAre("{\"a\":   1}"));
}

TEST_F(FramerTest, braces_in_strings_do_not_count) {
  EXPECT_THAT(feed(R"({"a":"}{][\"}"})"), ElementsAre(R"({"a":"}{][\"}"})"));
}

TEST_F(FramerTest, single_quotes_become_double_ones) {
  EXPECT_THAT(feed(R"({'a':'it\'s "b"'})"), ElementsAre(R"({"a":"it's \"b\""})"));
}

TEST_F(FramerTest, scalars_stand_for_themselves) {
  EXPECT_THAT(feed("12 true\n\"x\" "), ElementsAre("12", "true", "\"x\""));
}

TEST_F(FramerTest, surplus_bracket_ends_the_message) {
  EXPECT_THAT(feed("}{\"a\":1}"), ElementsAre("}", "{\"a\":1}"));
}

TEST_F(FramerTest, stray_byte_is_an_error_and_the_next_line_is_heard) {
  EXPECT_THAT(feed("{\"a\": @ foo\n{\"b\":1}"),
              ElementsAre("! JSON parse error, stray '@'", "{\"b\":1}"));
}

TEST_F(FramerTest, line_end_in_a_string_is_an_error) {
  EXPECT_THAT(feed("{\"a\": \"b\n{\"c\":1}"), testing::Contains("{\"c\":1}"));
}

TEST_F(FramerTest, byte_ff_ends_what_went_before) {
  EXPECT_THAT(feed("{\"a\": \"\xff{\"b\":1}"), testing::Contains("{\"b\":1}"));
}

TEST_F(FramerTest, depth_is_limited) {
  EXPECT_THAT(feed(std::string(1025, '[')), ElementsAre("! JSON nesting depth limit exceeded"));
  EXPECT_THAT(feed(std::string(1024, '[') + std::string(1024, ']')), testing::SizeIs(1));
}

TEST_F(FramerTest, size_is_limited_and_memory_given_back) {
  std::string said;
  const std::string piece(1 << 20, 'x');
  const auto sink = [&](Result<std::string_view> message) {
    said = message ? "message" : message.error().message();
  };
  const std::string_view start = "{\"a\":\"";
  framer_.feed({reinterpret_cast<const u8*>(start.data()), start.size()}, sink);
  for (int i = 0; i < 65; ++i)
    framer_.feed({reinterpret_cast<const u8*>(piece.data()), piece.size()}, sink);
  EXPECT_EQ(said, "JSON token size limit exceeded");
  EXPECT_LE(framer_.buffered(), 2u << 20);
}

TEST_F(FramerTest, number_of_tokens_is_limited) {
  std::string text = "[";
  for (int i = 0; i < (2 << 20); ++i) text += "1,";
  EXPECT_THAT(feed(text), testing::Contains("! JSON token count limit exceeded"));
}

}  // namespace
}  // namespace rhea::test
