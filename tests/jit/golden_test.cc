// SPDX-License-Identifier: GPL-2.0-or-later
// Host code of common instructions and short blocks is what tests/golden/ says. After a change of
// what is generated, scripts/update-golden writes the files anew, for somebody to read the diff.
#include "tests/jit/golden.h"

#include "tests/support/source_root.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace rhea::test {
namespace {

std::filesystem::path golden_folder() { return source_root() / "tests/golden"; }

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(golden_folder()))
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem());
  std::ranges::sort(names);
  return names;
}

std::string golden_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class GoldenCode : public testing::TestWithParam<std::string> {
 protected:
  GoldenCode() : path_(golden_folder() / (GetParam() + ".txt")), known_(golden_text(path_)) {}
  std::filesystem::path path_;
  std::string known_;
};

TEST_P(GoldenCode, IsAsItWas) {
  if (!x86::translating::host_cpu().xsave)
    GTEST_SKIP() << "without XSAVE vectors and x87 are called";
  const std::string made = Golden().remade(known_);
  if (std::getenv("RHEA_GOLDEN_UPDATE") != nullptr) std::ofstream(path_) << made;
  EXPECT_EQ(golden_text(path_), made) << "scripts/update-golden writes " << path_;
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenCode, testing::ValuesIn(golden_names()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace rhea::test
