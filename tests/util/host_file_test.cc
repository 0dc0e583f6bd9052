// SPDX-License-Identifier: GPL-2.0-or-later
// Opening host files: nothing waits for a peer, and every kind that is not wanted is refused.
#include "rhea/util/host_file.h"

#include "rhea/util/fd_sets.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <future>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace rhea {
namespace {

class HostFileTest : public testing::Test {
 protected:
  HostFileTest() {
    std::string pattern = testing::TempDir() + "/host-file.XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~HostFileTest() override { std::filesystem::remove_all(folder_); }

  std::string path(std::string_view name) const { return folder_ + "/" + std::string(name); }
  std::string fifo(std::string_view name) const {
    EXPECT_EQ(mkfifo(path(name).c_str(), 0600), 0);
    return path(name);
  }
  std::string file(std::string_view name, std::string_view text) const {
    const FileDescriptor fd(open(path(name).c_str(), O_WRONLY | O_CREAT, 0600));
    EXPECT_EQ(write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    return path(name);
  }
  static std::string text(const Result<std::vector<u8>>& data) {
    return data ? std::string(data->begin(), data->end()) : data.error().message();
  }
  template <class T>
  static std::string error(const Result<T>& result) {
    return result ? "no error" : result.error().message();
  }

  std::string folder_;
};

TEST_F(HostFileTest, AFifoIsRefusedWhereAnImageIsWanted) {
  const std::string name = fifo("f");
  EXPECT_EQ(error(read_file(name, 100)),
            "Could not open '" + name + "': it is a pipe; a file or block device is wanted here");
}

TEST_F(HostFileTest, AFifoThatNobodyReadsIsAnError) {
  const std::string name = fifo("f");
  EXPECT_EQ(error(open_host_file(name, {.flags = O_WRONLY | O_CREAT})),
            "Could not open '" + name + "': nobody reads this pipe");
}

TEST_F(HostFileTest, AFifoThatNobodyWritesIsAnErrorForThoseWhoReadStreams) {
  const std::string name = fifo("f");
  EXPECT_EQ(error(read_file(name, 100, ReadFrom::Everywhere)),
            "Could not read '" + name + "': nothing came from it");
}

TEST_F(HostFileTest, AStreamIsReadToItsEnd) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const FileDescriptor in(ends[0]);
  FileDescriptor out(ends[1]);
  ASSERT_EQ(write(out.get(), "abc", 3), 3);
  out.reset();
  const std::string name = "/dev/fd/" + std::to_string(in.get());
  EXPECT_EQ(text(read_file(name, 100, ReadFrom::Everywhere)), "abc");
}

TEST_F(HostFileTest, AStreamWithoutEndIsCutAtTheLimit) {
  EXPECT_EQ(error(read_file("/dev/zero", 100'000, ReadFrom::Everywhere)),
            "Could not read '/dev/zero': too large: more than 100000 bytes");
}

TEST_F(HostFileTest, DirectoriesDevicesAndSizesAreLookedAt) {
  EXPECT_EQ(error(read_file(folder_, 100)), "Could not open '" + folder_ + "': Is a directory");
  EXPECT_EQ(error(read_file("/dev/null", 100)),
            "Could not open '/dev/null': it is a character device; a file or block device is "
            "wanted here");
  EXPECT_EQ(error(read_file(path("none"), 100)),
            "Could not open '" + path("none") + "': No such file or directory");
  EXPECT_EQ(error(read_file(file("big", "0123456789"), 9)),
            "Could not read '" + path("big") + "': too large: 10 bytes, at most 9");
  EXPECT_EQ(text(read_file(path("big"), 10)), "0123456789");
}

TEST_F(HostFileTest, RegularFilesBlockAndPipesDoNot) {
  const auto regular = open_host_file(file("r", ""), {.flags = O_RDONLY});
  const auto pipe = open_host_file(fifo("p"), {.flags = O_RDWR});
  EXPECT_EQ(fcntl(regular->get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(pipe->get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(HostFileTest, APeerThatTakesNothingIsGivenUp) {
  const auto pipe = open_host_file(fifo("p"), {.flags = O_RDWR});
  const std::vector<u8> data(1 << 20);
  EXPECT_EQ(error(write_all(pipe->get(), data)), "nobody takes what is written");
}

TEST_F(HostFileTest, AFinishedOutputStays) {
  auto output = OutputFile::create(path("o"));
  ASSERT_TRUE(output->write(std::vector<u8>{'h', 'i'}));
  ASSERT_TRUE(output->finish());
  EXPECT_EQ(text(read_file(path("o"), 10)), "hi");
}

TEST_F(HostFileTest, AnUnfinishedOutputGoes) {
  {
    ASSERT_TRUE(OutputFile::create(path("o"))->write(std::vector<u8>{'h'}));
  }
  EXPECT_FALSE(std::filesystem::exists(path("o")));
  {
    ASSERT_TRUE(OutputFile::create(file("old", "before"))->write(std::vector<u8>{'h'}));
  }
  EXPECT_EQ(text(read_file(path("old"), 10)), "");
}

TEST_F(HostFileTest, AnOutputThatIsNotFinishedTakesNobodyElsesFileAlong) {
  {
    auto output = OutputFile::create(path("o"));
    ASSERT_TRUE(output);
    file("other", "theirs");
    ASSERT_EQ(std::rename(path("other").c_str(), path("o").c_str()), 0);
  }
  EXPECT_EQ(text(read_file(path("o"), 10)), "theirs");
}

TEST_F(HostFileTest, AFileLimitIsAnError) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit little{.rlim_cur = 4096, .rlim_max = before.rlim_max};
  auto output = OutputFile::create(path("o"));
  setrlimit(RLIMIT_FSIZE, &little);
  const auto result = output->write(std::vector<u8>(10'000));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(error(result), "Could not write '" + path("o") + "': File too large");
}

// With real ones that do not answer: tests/guest/hung_disk.py.
TEST_F(HostFileTest, AThreadThatWaitsOnlySoLongGetsWhatTheHostAnswers) {
  std::string read, refused;
  std::thread([&] {
    limit_wait_for_files(std::chrono::minutes(1));
    read = text(read_file(file("s", "prompt"), 100));
    refused = error(read_file(path("nothing"), 100));
  }).join();
  EXPECT_EQ(read, "prompt");
  EXPECT_EQ(refused, "Could not open '" + path("nothing") + "': No such file or directory");
}

TEST_F(HostFileTest, FileSystemsThatDoNotAnswerAreGivenUpOn) {
  std::promise<void> answer;
  const std::shared_future<void> heard = answer.get_future().share();
  std::vector<std::string> errors;
  std::thread([&] {
    limit_wait_for_files(std::chrono::milliseconds(1));
    std::generate_n(std::back_inserter(errors), 17, [&] {
      return error(wait_for_file_system("/slow", [heard] { heard.wait(); }));
    });
  }).join();
  answer.set_value();
  EXPECT_EQ(errors[0], "Could not open '/slow': its file system does not answer");
  EXPECT_EQ(errors[15], errors[0]);
  EXPECT_EQ(errors[16], "Could not open '/slow': the file systems of 16 other files do not answer");
}

TEST_F(HostFileTest, ADescriptorSetIsOpenedByItsPath) {
  FileDescriptor reading(open(file("s", "handed over").c_str(), O_RDONLY | O_CLOEXEC));
  const int number = reading.get();
  ASSERT_EQ(fd_sets::add(std::move(reading), 7, "mine").value_or(-1), 7);
  EXPECT_EQ(text(read_file("/dev/fdset/7", 100)), "handed over");
  EXPECT_EQ(error(open_host_file("/dev/fdset/7", {.flags = O_RDWR})),
            "Could not open '/dev/fdset/7': descriptor set 7 has none that is open for reading and "
            "writing");
  EXPECT_EQ(error(open_host_file("/dev/fdset/8", {.flags = O_RDONLY})),
            "Could not open '/dev/fdset/8': there is no descriptor set 8");
  EXPECT_EQ(error(open_host_file("/dev/fdset/x", {.flags = O_RDONLY})),
            "'/dev/fdset/x': 'x' is no number of a descriptor set");
  EXPECT_EQ(fd_sets::list().at(0).members.at(0).opaque.value_or(""), "mine");
  EXPECT_TRUE(fd_sets::remove(7, number));
  EXPECT_TRUE(fd_sets::list().empty());
  EXPECT_EQ(error(fd_sets::remove(7, std::nullopt)),
            "File descriptor named 'fdset-id:7' not found");
}

TEST_F(HostFileTest, ANewDescriptorSetGetsTheLeastFreeNumber) {
  const auto null = [] { return FileDescriptor(open("/dev/null", O_RDWR | O_CLOEXEC)); };
  EXPECT_EQ(fd_sets::add(null(), {}, {}).value_or(-1), 0);
  EXPECT_EQ(fd_sets::add(null(), {}, {}).value_or(-1), 1);
  EXPECT_TRUE(fd_sets::remove(0, {}));
  EXPECT_EQ(fd_sets::add(null(), {}, {}).value_or(-1), 0);
  EXPECT_TRUE(fd_sets::remove(0, {}));
  EXPECT_TRUE(fd_sets::remove(1, {}));
}

}  // namespace
}  // namespace rhea
