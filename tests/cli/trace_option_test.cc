// SPDX-License-Identifier: GPL-2.0-or-later
// -trace.
#include "monitor/trace_events.h"
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

TEST(TraceOption, AFileNamesEvents) {
  const TempDir folder;
  Machine machine;
  const std::string list = folder.file_with(
      "events", "# what QEMU reads, too\n\nhmp_*\nnot_of_ours\n-hmp_command\nqmp_command\n");
  testing::internal::CaptureStderr();
  const auto result = find_option("trace")->apply(machine, "events=" + list);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "rhea: warning: " + list + ", line 4: trace event 'not_of_ours' does not exist\n");
  ASSERT_TRUE(result);
  EXPECT_FALSE(hmp_command.enabled());
  EXPECT_TRUE(qmp_command.enabled());
  qmp_command.enable(false);
}

TEST(TraceOption, AFileThatIsNotThereIsAnError) {
  Machine machine;
  EXPECT_EQ(find_option("trace")->apply(machine, "events=/nonexistent").error().message(),
            "-trace events=/nonexistent: Could not open '/nonexistent': No such file or directory");
}

TEST(TraceOption, AMinusSwitchesOff) {
  Machine machine;
  ASSERT_TRUE(find_option("trace")->apply(machine, "qmp_command"));
  ASSERT_TRUE(find_option("trace")->apply(machine, "-qmp_command"));
  EXPECT_FALSE(qmp_command.enabled());
}

}  // namespace
}  // namespace rhea::test
