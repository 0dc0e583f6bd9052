// SPDX-License-Identifier: GPL-2.0-or-later
// Host files that somebody names: opened without waiting for anybody, their kind looked at first.
// Every file of the host goes through here: a FIFO without a peer, a directory or a device where
// none is wanted is an error like others and never hangs the program.
//
// "/dev/fdset/N" is a descriptor handed over (-add-fd, QMP add-fd; see fd_sets.h). All functions
// may be called from any thread; errors are one line, "Could not open 'PATH': why".
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/types.h"

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rhea {

/// Kinds of files, one bit each.
enum class FileKinds : unsigned {
  Regular = 1,
  BlockDevice = 2,
  CharDevice = 4,
  Pipe = 8,  ///< named or not
  Socket = 16,
  Directory = 32,
  Images = Regular | BlockDevice,
  Streams = CharDevice | Pipe | Socket,
  All = Images | Streams,
};
constexpr FileKinds operator|(FileKinds a, FileKinds b) {
  return static_cast<FileKinds>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool has(FileKinds set, FileKinds one) {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(one)) != 0;
}

/// The kind of an open file; Regular if it cannot be told.
FileKinds kind_of_file(int fd);

struct HostFileOptions {
  int flags{};  ///< O_RDONLY, O_WRONLY|O_CREAT|O_TRUNC …; O_CLOEXEC and O_NOCTTY are always set
  FileKinds kinds{FileKinds::All};
  mode_t mode{0666};  ///< of a file that is made
};

/// Never waits: a FIFO opened for writing that nobody reads is an error. What comes back blocks
/// for regular files and block devices (which never wait for a peer), and does not for all others.
Result<FileDescriptor> open_host_file(const std::string& path, const HostFileOptions& options);

/// From now on whatever the calling thread opens, reads or asks by this header's functions fails
/// after `patience` when the file system does not answer; other threads wait as long as it takes.
/// For the main loop.
void limit_wait_for_files(std::chrono::milliseconds patience);

/// Calls `work`, or has it called by another thread and waits for it so long. Then an error, and
/// `work` may still go on: it owns whatever it touches.
Result<> wait_for_file_system(const std::string& path, std::function<void()> work);

/// The same for system calls on `path` with an outcome: bind(), stat() …
template <class T>
Result<T> ask_file_system(const std::string& path, std::function<Result<T>()> ask) {
  auto answer = std::make_shared<std::optional<Result<T>>>();
  TRY(wait_for_file_system(path, [answer, ask = std::move(ask)] { *answer = ask(); }));
  return std::move(**answer);
}

/// Closes it in the same way: some file systems want to hear of it. At worst it stays open.
void close_host_file(FileDescriptor fd);

enum class ReadFrom {
  Images,      ///< regular files and block devices: never waits
  Everywhere,  ///< also what a pipe or terminal brings, to its end: only while the program starts
};
/// A whole file of at most `limit` bytes.
Result<std::vector<u8>> read_file(const std::string& path, u64 limit,
                                  ReadFrom from = ReadFrom::Images);

/// Writes all of it. A peer that takes nothing for half a second is given up on with an error.
Result<> write_all(int fd, std::span<const u8> data);

/// A file that is written as a whole (a picture, a dump). Unless it is finished, what was written
/// goes again: a file that this made is removed, one that was there is left empty.
class OutputFile {
 public:
  static Result<OutputFile> create(const std::string& path);
  OutputFile(OutputFile&& other) noexcept = default;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  Result<> write(std::span<const u8> data);
  /// The file is complete. Errors that the host kept for the close are told.
  Result<> finish();
  int fd() const { return fd_.get(); }

 private:
  OutputFile(FileDescriptor fd, std::string path, bool made)
      : fd_(std::move(fd)), path_(std::move(path)), made_(made) {}

  FileDescriptor fd_;
  std::string path_;
  bool made_;
};

}  // namespace rhea
