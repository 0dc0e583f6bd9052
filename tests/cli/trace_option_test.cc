// SPDX-License-Identifier: GPL-2.0-or-later
// -trace.
#include "rhea/softmmu/machine.h"
#include "rhea/util/option.h"
#include "tests/block/temp_dir.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace rhea::test {
namespace {

TEST(TraceOption, AFileIsNotEmptiedForAParameterThatThereIsNot) {
  const TempDir folder;
  Machine machine;
  const std::string kept = folder.file("log", 5, 'x');
  const auto result = find_option("trace")->apply(machine, "file=" + kept + ",nope=1");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(), "-trace: unknown parameter 'nope'");
  EXPECT_EQ(std::filesystem::file_size(kept), 5U);
}

}  // namespace
}  // namespace rhea::test
