// SPDX-License-Identifier: GPL-2.0-or-later
// The log: where it goes, and what becomes of it when nobody reads.
#include "rhea/util/log.h"

#include "rhea/util/file_descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>

namespace rhea {
namespace {

using Steady = std::chrono::steady_clock;

/// A FIFO for the log to go to, and its reading end.
class LogTest : public testing::Test {
 protected:
  LogTest() : path_(testing::TempDir() + "/log-fifo." + std::to_string(getpid())) {
    unlink(path_.c_str());
    mkfifo(path_.c_str(), 0600);
  }
  ~LogTest() override {
    EXPECT_TRUE(log_to_file("/dev/null"));
    unlink(path_.c_str());
  }
  std::string read_all() const {
    std::string text;
    std::string piece(65536, ' ');
    for (ssize_t n = 1; n > 0;) {
      n = read(reader_.get(), piece.data(), piece.size());
      if (n > 0) text.append(piece, 0, static_cast<std::size_t>(n));
    }
    return text;
  }
  // What has come when this has, or all that comes in two seconds.
  std::string read_until(std::string_view wanted) const {
    std::string text;
    const auto end = Steady::now() + std::chrono::seconds(2);
    while (text.find(wanted) == std::string::npos && Steady::now() < end) {
      text += read_all();
      std::this_thread::yield();
    }
    return text;
  }
  void open_reader() { reader_ = FileDescriptor(open(path_.c_str(), O_RDONLY | O_NONBLOCK)); }

  std::string path_;
  FileDescriptor reader_;
};

TEST_F(LogTest, AFifoWithoutAReaderIsAnError) {
  const auto result = log_to_file(path_);
  EXPECT_EQ(result.error().message(), "Could not open '" + path_ + "': nobody reads this pipe");
}

TEST_F(LogTest, AReaderGetsTheLines) {
  open_reader();
  ASSERT_TRUE(log_to_file(path_));
  log_write("one\n");
  log_write("two\n");
  EXPECT_EQ(read_until("two\n"), "one\ntwo\n");
}

// The first 320 KiB are kept, in the pipe and behind it.
TEST_F(LogTest, AReaderThatStopsIsToldWhatItMissed) {
  open_reader();
  ASSERT_TRUE(log_to_file(path_));
  const std::string line(999, 'x');
  for (int i = 0; i < 1000; ++i) log_write(line + "\n");
  read_until("what does not come");
  log_write("again\n");
  const std::string after = read_until("again\n");
  EXPECT_NE(after.find(" messages before this one are lost: nobody took them)\nagain\n"),
            std::string::npos)
      << after;
}

TEST_F(LogTest, TheEndOfTheProgramWaitsForTheFile) {
  const std::string file = path_ + ".log";
  ASSERT_TRUE(log_to_file(file));
  for (int i = 0; i < 100; ++i) log_write("line\n");
  log_settle();
  EXPECT_EQ(std::filesystem::file_size(file), 500U);
  unlink(file.c_str());
}

TEST_F(LogTest, AFullDiskIsToldOfOnce) {
  testing::internal::CaptureStderr();
  ASSERT_TRUE(log_to_file("/dev/full"));
  log_write("one\n");
  log_settle();
  log_write("two\n");
  log_settle();
  EXPECT_TRUE(log_to_file("/dev/null"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "rhea: warning: the log: No space left on device\n");
}

}  // namespace
}  // namespace rhea
