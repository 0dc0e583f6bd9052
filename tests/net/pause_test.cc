// SPDX-License-Identifier: GPL-2.0-or-later
// Trying again after a while, with a descriptor for it and without.
#include "net/pause.h"

#include "tests/support/no_descriptors.h"

#include <gtest/gtest.h>

#include <optional>

namespace rhea::test {
namespace {

class PauseTest : public testing::Test {
 protected:
  void begin() {
    pause->begin(loop, std::chrono::milliseconds(1), [this] { ++calls; });
  }
  /// Each turn of the loop waits for something.
  bool called() {
    for (unsigned turns = 0; calls == 0 && turns < 100; ++turns) loop.iterate(true);
    return calls == 1;
  }
  EventLoop loop;
  std::optional<net::Pause> pause{std::in_place};
  unsigned calls{0};
};

TEST_F(PauseTest, EndsWithOneCall) {
  begin();
  EXPECT_TRUE(*pause);
  EXPECT_TRUE(called());
  EXPECT_FALSE(*pause);
  EXPECT_FALSE(loop.iterate(false));
}

TEST_F(PauseTest, MayBeginAgainInItsCall) {
  pause->begin(loop, std::chrono::milliseconds(1), [this] { begin(); });
  EXPECT_TRUE(called());
}

TEST_F(PauseTest, WithoutADescriptorIsShort) {
  pause.reset();
  {
    const NoMoreDescriptors none;
    pause.emplace();
  }
  begin();
  EXPECT_TRUE(called());
}

TEST_F(PauseTest, WithoutADescriptorThatEndsFirstCallsNobody) {
  pause.reset();
  {
    const NoMoreDescriptors none;
    pause.emplace();
  }
  begin();
  pause.reset();
  loop.iterate(false);
  EXPECT_EQ(calls, 0u);
}

}  // namespace
}  // namespace rhea::test
