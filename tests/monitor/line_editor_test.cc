// SPDX-License-Identifier: GPL-2.0-or-later
// Typing at the human monitor.
#include "monitor/hmp/line_editor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::ElementsAre;

class LineEditorTest : public testing::Test {
 protected:
  void type(std::string_view keys) {
    for (const char key : keys) editor_.feed(static_cast<u8>(key));
  }
  std::string shown_;
  std::vector<std::string> lines_;
  std::vector<std::string> history_;
  std::vector<std::string> names_;
  hmp::LineEditor editor_{"> ",
                          history_,
                          {.show = [this](std::string_view text) { shown_ += text; },
                           .line = [this](const std::string& line) { lines_.push_back(line); },
                           .complete = [this](std::string_view) { return names_; }}};
};

TEST_F(LineEditorTest, what_is_typed_is_echoed_and_delivered) {
  type("info\r");
  EXPECT_EQ(shown_, "info\r\n");
  EXPECT_THAT(lines_, ElementsAre("info"));
}

TEST_F(LineEditorTest, carriage_return_and_line_feed_are_one_end) {
  type("a\r\nb\n");
  EXPECT_THAT(lines_, ElementsAre("a", "b"));
}

TEST_F(LineEditorTest, editing_keys_work) {
  type("helo\x1b[Dl\r");
  type("abc\x7f\x7fz\r");
  type(
      "two words\x17"
      "w\r");
  type("gone\x15new\r");
  type("xtail\x1b[H\x1b[3~\r");
  type("keep\x1b[D\x0b\r");
  EXPECT_THAT(lines_, ElementsAre("hello", "az", "two w", "new", "tail", "kee"));
}

TEST_F(LineEditorTest, history_is_recalled) {
  type("first\rsecond\r");
  type("\x1b[A\x1b[A\r");
  type("\x10\r");
  type("draft\x1b[A\x1b[B\r");
  EXPECT_THAT(lines_, ElementsAre("first", "second", "first", "first", "draft"));
}

TEST_F(LineEditorTest, only_name_is_completed) {
  names_ = {"quit"};
  type("qu\t\r");
  EXPECT_THAT(lines_, ElementsAre("quit "));
}

TEST_F(LineEditorTest, common_start_is_completed_and_choices_listed) {
  names_ = {"system_powerdown", "system_reset"};
  type("sys\t");
  EXPECT_EQ(editor_.text(), "system_");
  type("\t");
  EXPECT_THAT(shown_, testing::HasSubstr("system_powerdown\r\nsystem_reset\r\n> system_"));
}

TEST_F(LineEditorTest, lines_and_history_are_bounded) {
  type(std::string(std::size_t{100'000}, 'x').append("\r"));
  EXPECT_EQ(lines_.back().size(), 4095u);
  for (int i = 0; i < 1000; ++i) type(std::to_string(i) + "\r");
  EXPECT_EQ(history_.size(), 64u);
}

TEST_F(LineEditorTest, prompt_repeats_the_line_begun) {
  type("beg");
  shown_.clear();
  editor_.show_prompt();
  EXPECT_EQ(shown_, "> beg");
}

}  // namespace
}  // namespace rhea::test
