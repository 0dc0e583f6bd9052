// SPDX-License-Identifier: GPL-2.0-or-later
// Output that is written by a thread: order, bounds, errors, ends.
#include "rhea/util/file_writer.h"

#include "rhea/util/file_descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace rhea::test {
namespace {

/// A disk that takes a few bytes at a time, once it is let.
class SlowFile {
 public:
  FileWriter::Sink sink() {
    return [this](std::span<const u8> data) -> Result<std::size_t> {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return open_; });
      if (broken_) return fail("broken");
      const auto part = data.first(std::min<std::size_t>(data.size(), 3));
      text_.append(part.begin(), part.end());
      return part.size();
    };
  }
  void open(bool broken = false) {
    const std::lock_guard lock(mutex_);
    open_ = true;
    broken_ = broken;
    changed_.notify_all();
  }
  std::string text() {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_{false};
  bool broken_{false};
  std::string text_;
};

std::span<const u8> as_bytes(std::string_view text) {
  return {reinterpret_cast<const u8*>(text.data()), text.size()};
}
FileWriter::Time in(int milliseconds) {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
}

TEST(FileWriterTest, AFileThatHangsHoldsUpNobodyAndTakesNoMoreThanTheBound) {
  SlowFile file;
  {
    FileWriter writer(file.sink(), 10);
    EXPECT_EQ(writer.write(as_bytes("0123")), 4U);
    EXPECT_EQ(writer.write(as_bytes("456789abc")), 6U);
    EXPECT_EQ(writer.write(as_bytes("x")), 0U);
    EXPECT_FALSE(writer.flush(in(20)));
    file.open();
    EXPECT_TRUE(writer.flush(in(5000)));
  }
  EXPECT_EQ(file.text(), "0123456789");
}

TEST(FileWriterTest, WhoWasCutShortHearsOfRoom) {
  SlowFile file;
  std::atomic<bool> room = false;
  FileWriter writer(file.sink(), 4, {.room = [&room] { room = true; }});
  EXPECT_EQ(writer.write(as_bytes("012345")), 4U);
  EXPECT_FALSE(room);
  file.open();
  EXPECT_TRUE(writer.flush(in(5000)));
  for (int i = 0; i < 1000 && !room; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_TRUE(room);
  EXPECT_EQ(writer.write(as_bytes("45")), 2U);
  EXPECT_TRUE(writer.flush(in(5000)));
  EXPECT_EQ(file.text(), "012345");
}

TEST(FileWriterTest, ErrorsAreToldOnceAndTheRestIsLost) {
  SlowFile file;
  std::atomic<int> told = 0;
  FileWriter writer(file.sink(), 100, {.failed = [&told](const Error&) { ++told; }});
  file.open(true);
  writer.write(as_bytes("0123"));
  EXPECT_TRUE(writer.flush(in(5000)));
  writer.write(as_bytes("4567"));
  EXPECT_TRUE(writer.flush(in(5000)));
  file.open();
  writer.write(as_bytes("89"));
  EXPECT_TRUE(writer.flush(in(5000)));
  EXPECT_EQ(file.text(), "89");
  EXPECT_EQ(told, 1);
}

TEST(FileWriterTest, WritesToAPipeAsItsReaderTakesIt) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
  const FileDescriptor reader(ends[0]);
  FileWriter writer(FileWriter::to_file(FileDescriptor(ends[1])), 1 << 20);
  const std::string text(200'000, 'x');
  EXPECT_EQ(writer.write(as_bytes(text)), text.size());
  EXPECT_FALSE(writer.flush(in(50)));
  std::array<char, 8192> buffer{};
  std::size_t got = 0;
  while (got < text.size())
    if (const ssize_t n = ::read(reader.get(), buffer.data(), buffer.size()); n > 0)
      got += static_cast<std::size_t>(n);
  EXPECT_TRUE(writer.flush(in(5000)));
}

}  // namespace
}  // namespace rhea::test
