// SPDX-License-Identifier: GPL-2.0-or-later
// Choosing a display by name.
#include "rhea/ui/display.h"

#include "tests/support/bench.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rhea::test {
namespace {

unsigned started = 0;
class ProbeDisplay final : public DisplayBackend {
 public:
  Result<> start() override {
    ++started;
    return {};
  }
};
class BrokenDisplay final : public DisplayBackend {
 public:
  Result<> start() override { return fail("no luck"); }
};
const RegisterDisplay probe{
    {.name = "test-probe", .help = "", .make = [](Machine&, KeyValues& options) {
       options.take("key");
       return Result<std::unique_ptr<DisplayBackend>>(std::make_unique<ProbeDisplay>());
     }}};
const RegisterDisplay broken{{.name = "test-broken", .help = "", .make = [](Machine&, KeyValues&) {
                                return Result<std::unique_ptr<DisplayBackend>>(
                                    std::make_unique<BrokenDisplay>());
                              }}};

class DisplaysTest : public testing::Test {
 public:
  Bench bench;
  Displays& displays{bench.machine().service<Displays>()};
};

TEST_F(DisplaysTest, TypesAreSortedAndHaveTheUsualOnes) {
  std::vector<std::string_view> names;
  for (const DisplayType* type : display_types()) names.push_back(type->name);
  EXPECT_TRUE(std::ranges::is_sorted(names));
  EXPECT_EQ(std::ranges::count(names, "none"), 1);
  EXPECT_EQ(std::ranges::count(names, "curses"), 1);
}

TEST_F(DisplaysTest, NothingIsSelectedUntilAsked) {
  EXPECT_FALSE(displays.selected());
  ASSERT_TRUE(displays.select("none"));
  EXPECT_TRUE(displays.selected());
  EXPECT_EQ(displays.name(), "none");
}

TEST_F(DisplaysTest, UnknownTypeIsNamed) {
  const auto result = displays.select("gtk");
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message().find("'gtk'"), std::string::npos);
}

TEST_F(DisplaysTest, UnknownKeyIsNamed) {
  const auto result = displays.select("none,gl=on");
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message().find("'gl'"), std::string::npos);
  EXPECT_TRUE(displays.select("test-probe,key=x"));
}

TEST_F(DisplaysTest, DisplayStartsFromTheMainLoopWhenTheMachineIsReady) {
  started = 0;
  ASSERT_TRUE(displays.select("test-probe"));
  bench.machine().machine_ready();
  EXPECT_EQ(started, 0U);
  EXPECT_TRUE(bench.run_until([] { return started == 1; }));
}

TEST_F(DisplaysTest, DisplayThatCannotStartEndsTheProgram) {
  ASSERT_TRUE(displays.select("test-broken"));
  bench.machine().machine_ready();
  EXPECT_TRUE(bench.run_until([&] { return bench.machine().exit_code() == 1; }));
}

TEST_F(DisplaysTest, TheLastSelectionCounts) {
  ASSERT_TRUE(displays.select("test-broken"));
  ASSERT_TRUE(displays.select("none"));
  bench.machine().machine_ready();
  bool later = false;
  bench.machine().loop().defer([&] { later = true; });
  EXPECT_TRUE(bench.run_until([&] { return later; }));
  EXPECT_FALSE(bench.machine().exit_code().has_value());
}

}  // namespace
}  // namespace rhea::test
