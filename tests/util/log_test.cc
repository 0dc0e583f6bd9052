// SPDX-License-Identifier: GPL-2.0-or-later
// The log: where it goes, and what becomes of it when nobody reads.
#include "rhea/util/log.h"

#include "rhea/util/file_descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <string>

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
  EXPECT_EQ(read_all(), "one\ntwo\n");
}

TEST_F(LogTest, AReaderThatStopsCostsHalfASecondOnceAndIsToldWhatItMissed) {
  open_reader();
  ASSERT_TRUE(log_to_file(path_));
  const std::string line(999, 'x');
  const auto before = Steady::now();
  for (int i = 0; i < 1000; ++i) log_write(line + "\n");
  EXPECT_LT(Steady::now() - before, std::chrono::seconds(3));
  read_all();
  log_write("again\n");
  const std::string after = read_all();
  EXPECT_NE(after.find("\nagain\n"), std::string::npos) << after;
  EXPECT_NE(after.find("messages before this one are lost"), std::string::npos) << after;
}

}  // namespace
}  // namespace rhea
