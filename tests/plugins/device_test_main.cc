// SPDX-License-Identifier: GPL-2.0-or-later
// rhea-device-test: the conformance suite and the test bench for devices built outside the tree.
//
//   rhea-device-test doorbell.so [doorbell-test.so...] [--gtest_filter=...]
#include "qom/plugin.h"
#include "rhea/util/log.h"

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <string_view>

namespace {

constexpr std::string_view kUsage =
    "usage: rhea-device-test PLUGIN.so [TESTS.so...] [--gtest_...]\n"
    "Puts every device type of the plug-in through the conformance suite, then runs the tests in\n"
    "TESTS.so, which are GoogleTest's and use tests/support/bench.h (pkg-config --cflags "
    "rhea-test).\n";

}  // namespace

int main(int argc, char** argv) {
  rhea::set_program_name("rhea-device-test");
  int plugins = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string path = argv[i];
    if (path == "-h" || path == "--help") {
      fmt::print("{}", kUsage);
      return 0;
    }
    if (path.starts_with("-")) continue;
    const auto loaded = rhea::load_extension(rhea::find_plugin(path));
    if (!loaded) {
      rhea::report_error(loaded.error().message());
      return 1;
    }
    ++plugins;
  }
  if (plugins == 0) {
    fmt::print(stderr, "{}", kUsage);
    return 2;
  }
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
