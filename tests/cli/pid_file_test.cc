// SPDX-License-Identifier: GPL-2.0-or-later
// -pidfile and -runas, as far as they need no other process.
#include "cli/pid_file.h"

#include "cli/privileges.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

namespace rhea::cli {
namespace {

class PidFileTest : public testing::Test {
 protected:
  PidFileTest() : path_(testing::TempDir() + "/pid." + std::to_string(getpid())) {}
  ~PidFileTest() override { unlink(path_.c_str()); }

  std::string path_;
};

TEST_F(PidFileTest, HoldsTheProcessIdForAsLongAsItLives) {
  {
    const auto file = PidFile::create(path_);
    ASSERT_TRUE(file);
    std::string text;
    std::getline(std::ifstream(path_), text);
    EXPECT_EQ(text, std::to_string(getpid()));
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(PidFileTest, BelongsToOneProcess) {
  const auto file = PidFile::create(path_);
  ASSERT_TRUE(file);
  const pid_t child = fork();
  if (child == 0) _exit(PidFile::create(path_).has_value() ? 1 : 0);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(PidFileTest, IsARegularFile) {
  mkfifo(path_.c_str(), 0600);
  EXPECT_EQ(PidFile::create(path_).error().message(),
            "Could not open '" + path_ + "': it is a pipe; a file is wanted here");
}

TEST(RunAs, TakesANameOrNumbers) {
  EXPECT_EQ(find_user("root")->uid, 0u);
  EXPECT_EQ(find_user("12:34")->uid, 12u);
  EXPECT_EQ(find_user("12:34")->gid, 34u);
  EXPECT_EQ(find_user("no such user").error().message(),
            "-runas no such user: no user has this name (uid:gid works, too)");
  EXPECT_FALSE(find_user("12:"));
  EXPECT_FALSE(find_user("12:x"));
}

}  // namespace
}  // namespace rhea::cli
