// SPDX-License-Identifier: GPL-2.0-or-later
// -audiodev: the silent back end, and what is refused.
#include "audio/audiodev.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class AudiodevTest : public testing::Test {
 protected:
  std::string error(const std::string& text) {
    const auto result = backends_.add(text);
    return result ? "none" : result.error().message();
  }
  Machine machine_;
  audio::AudioBackends& backends_ = machine_.service<audio::AudioBackends>();
};

TEST_F(AudiodevTest, silence_is_taken_in_both_notations) {
  EXPECT_EQ(error("none,id=a"), "none");
  EXPECT_EQ(error(R"({"id":"audio1","driver":"none"})"), "none");
  EXPECT_THAT(backends_.ids(), ElementsAre("a", "audio1"));
}

TEST_F(AudiodevTest, anything_else_is_refused) {
  EXPECT_EQ(error("id=a"), "Parameter 'driver' is missing");
  EXPECT_EQ(error("none"), "Parameter 'id' is missing");
  EXPECT_EQ(error("none,id=1"), "Parameter 'id' expects an identifier, not '1'");
  EXPECT_THAT(error("pa,id=a"), HasSubstr("QEMU has this; Rhea has not yet"));
  EXPECT_EQ(error("nope,id=a"), "Parameter 'driver' does not accept value 'nope'");
  EXPECT_THAT(error("none,id=a,volume=3"), HasSubstr("volume"));
  EXPECT_THAT(backends_.ids(), ElementsAre());
  EXPECT_EQ(error("none,id=a"), "none");
  EXPECT_EQ(error("none,id=a"), "Duplicate audiodev ID 'a'");
}

}  // namespace
}  // namespace rhea::test
