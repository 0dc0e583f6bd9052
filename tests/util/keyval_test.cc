// SPDX-License-Identifier: GPL-2.0-or-later
// Words without '=' in option arguments: what each of QEMU's grammars makes of them.
#include "rhea/util/keyval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs parsed(std::string_view text, std::string_view implied, Words words) {
  const auto result = KeyValues::parse(text, implied, words);
  return result ? result->all() : Pairs{{"error", result.error().message()}};
}

class KeyValTest : public testing::Test {
 protected:
  void SetUp() override { testing::internal::CaptureStderr(); }
  std::string warnings() {
    taken_ = true;
    return testing::internal::GetCapturedStderr();
  }
  void TearDown() override {
    if (!taken_) testing::internal::GetCapturedStderr();
  }

 private:
  bool taken_{false};
};

TEST_F(KeyValTest, short_booleans_switch_on_and_with_no_off) {
  EXPECT_EQ(parsed("socket,server,nowait,path=/x", "backend", Words::Flags),
            (Pairs{{"backend", "socket"}, {"server", "on"}, {"wait", "off"}, {"path", "/x"}}));
}

TEST_F(KeyValTest, short_booleans_are_warned_of) {
  parsed("file=x,readonly,noshare", "", Words::Flags);
  const std::string text = warnings();
  EXPECT_THAT(text,
              testing::HasSubstr("short-form boolean option 'readonly' deprecated: please use "
                                 "readonly=on instead"));
  EXPECT_THAT(text, testing::HasSubstr("'noshare' deprecated: please use share=off instead"));
}

TEST_F(KeyValTest, warning_of_nodelay_names_the_option_that_stays) {
  parsed("socket,nodelay", "backend", Words::Flags);
  EXPECT_THAT(warnings(), testing::HasSubstr("please use nodelay=on instead"));
}

TEST_F(KeyValTest, short_forms_of_serial_are_not_warned_of) {
  EXPECT_EQ(parsed("/x,server,nowait", "path", Words::QuietFlags),
            (Pairs{{"path", "/x"}, {"server", "on"}, {"wait", "off"}}));
  EXPECT_EQ(warnings(), "");
}

TEST_F(KeyValTest, processor_features_keep_their_names) {
  EXPECT_EQ(parsed("qemu64,nodeid,+x", "model-name", Words::Plain),
            (Pairs{{"model-name", "qemu64"}, {"nodeid", "on"}, {"+x", "on"}}));
  EXPECT_EQ(warnings(), "");
}

TEST_F(KeyValTest, a_key_that_needs_its_value_is_refused_without) {
  EXPECT_EQ(parsed("pc,smm", "type", Words::Required),
            (Pairs{{"error", "Expected '=' after parameter 'smm'"}}));
  EXPECT_EQ(parsed("2,nothreads", "cpus", Words::Required),
            (Pairs{{"error", "Expected '=' after parameter 'nothreads'"}}));
}

TEST_F(KeyValTest, help_is_a_word_in_every_grammar) {
  EXPECT_EQ(parsed("pc,help", "type", Words::Required), (Pairs{{"type", "pc"}, {"help", "on"}}));
  EXPECT_EQ(parsed("VGA,?", "driver", Words::Flags), (Pairs{{"driver", "VGA"}, {"?", "on"}}));
  EXPECT_EQ(warnings(), "");
}

TEST_F(KeyValTest, no_alone_is_refused) {
  EXPECT_EQ(parsed("a,no", "x", Words::Flags),
            (Pairs{{"error", "parameter 'no' names nothing to switch off"}}));
}

TEST_F(KeyValTest, commas_and_equals_signs_stay_in_values) {
  EXPECT_EQ(parsed("a,,b,x=c=d,,e", "path", Words::Flags),
            (Pairs{{"path", "a,b"}, {"x", "c=d,e"}}));
}

}  // namespace
}  // namespace rhea::test
