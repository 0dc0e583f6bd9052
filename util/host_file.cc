// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/util/host_file.h"

#include "rhea/util/fd_sets.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace rhea {
namespace {

constexpr std::size_t kChunk = 64 * KiB;
constexpr int kPatienceMs = 500;

FileKinds kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return FileKinds::Directory;
  if (S_ISBLK(mode)) return FileKinds::BlockDevice;
  if (S_ISCHR(mode)) return FileKinds::CharDevice;
  if (S_ISFIFO(mode)) return FileKinds::Pipe;
  if (S_ISSOCK(mode)) return FileKinds::Socket;
  return FileKinds::Regular;
}

std::string_view name_of(FileKinds kind) {
  switch (kind) {
    case FileKinds::BlockDevice: return "a block device";
    case FileKinds::CharDevice: return "a character device";
    case FileKinds::Pipe: return "a pipe";
    case FileKinds::Socket: return "a socket";
    case FileKinds::Directory: return "a directory";
    default: return "a regular file";
  }
}

/// How long the calling thread waits for a file system; nothing: for ever.
thread_local std::optional<std::chrono::milliseconds> wait_limit;

/// Threads that a file system keeps, and that nobody waits for any more.
std::atomic<unsigned> left_behind{0};
constexpr unsigned kMostLeftBehind = 16;

template <class... Args>
std::unexpected<Error> not_open(const std::string& path, fmt::format_string<Args...> format,
                                Args&&... args) {
  return fail("Could not open '{}': {}", path, fmt::format(format, std::forward<Args>(args)...));
}

Result<> check_kind(const std::string& path, FileKinds kind, FileKinds wanted) {
  if (has(wanted, kind)) return {};
  if (kind == FileKinds::Directory) return not_open(path, "{}", errno_text(EISDIR));
  return not_open(path, "it is {}; {} is wanted here", name_of(kind),
                  has(wanted, FileKinds::BlockDevice) ? "a file or block device" : "a file");
}

Result<FileDescriptor> open_path(const std::string& path, const HostFileOptions& options) {
  // Opening alone does things to some devices, so the kind is looked at before, too.
  struct stat before{};
  if (::stat(path.c_str(), &before) == 0)
    TRY(check_kind(path, kind_of(before.st_mode), options.kinds));
  FileDescriptor fd(
      ::open(path.c_str(), options.flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, options.mode));
  if (fd) return fd;
  if (errno == ENXIO && S_ISFIFO(before.st_mode)) return not_open(path, "nobody reads this pipe");
  return not_open(path, "{}", errno_text(errno));
}

Result<FileDescriptor> open_set(const std::string& path, i64 id, int flags) {
  auto fd = fd_sets::open(id, flags | O_NONBLOCK);
  if (!fd) return not_open(path, "{}", fd.error().message());
  return fd;
}

Result<> wait_for_input(int fd) {
  pollfd state{.fd = fd, .events = POLLIN, .revents = 0};
  if (poll(&state, 1, -1) < 0 && errno != EINTR) return fail("{}", errno_text(errno));
  return {};
}

// A FIFO that nobody has opened for writing is at its end from the start; waiting for a writer
// could be for ever.
Result<std::vector<u8>> read_stream(int fd, u64 limit) {
  std::vector<u8> data;
  for (;;) {
    const std::size_t had = data.size();
    data.resize(had + kChunk);
    const ssize_t count = ::read(fd, data.data() + had, kChunk);
    data.resize(had + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && errno == EAGAIN) {
      TRY(wait_for_input(fd));
    } else if (count < 0 && errno != EINTR) {
      return fail("{}", errno_text(errno));
    } else if (count == 0) {
      if (data.empty() && kind_of_file(fd) == FileKinds::Pipe) return fail("nothing came from it");
      return data;
    }
    if (data.size() > limit) return fail("too large: more than {} bytes", limit);
  }
}

Result<std::vector<u8>> read_image(int fd, u64 limit) {
  const off_t end = lseek(fd, 0, SEEK_END);
  if (end < 0) return fail("{}", errno_text(errno));
  const auto size = static_cast<u64>(end);
  if (size > limit) return fail("too large: {} bytes, at most {}", size, limit);
  std::vector<u8> data(size);
  for (u64 done = 0; done < size;) {
    const ssize_t count = ::pread(fd, data.data() + done, size - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail("{}", errno_text(errno));
    if (count == 0) return fail("it became shorter");
    done += static_cast<u64>(count);
  }
  return data;
}

struct Waiting {
  std::mutex mutex;
  std::condition_variable ended;
  bool done{false};
  bool wanted{true};
};

// With all signals blocked, as every thread but the main one has them. False: the host gives none.
bool run_apart(std::function<void()> work) {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &old);
  bool started = true;
  try {
    std::thread(std::move(work)).detach();
  } catch (const std::system_error&) {
    started = false;
  }
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  return started;
}

Result<FileDescriptor> open_now(const std::string& path, const HostFileOptions& options) {
  const auto set = TRY(fd_sets::id_in_path(path));
  auto opened = set ? open_set(path, *set, options.flags) : open_path(path, options);
  FileDescriptor fd = TRY(std::move(opened));
  const FileKinds kind = kind_of_file(fd.get());
  TRY(check_kind(path, kind, options.kinds));
  const int flags = fcntl(fd.get(), F_GETFL);
  if (has(FileKinds::Images, kind) && (options.flags & O_NONBLOCK) == 0 && flags >= 0)
    fcntl(fd.get(), F_SETFL, flags & ~O_NONBLOCK);
  return fd;
}

Result<std::vector<u8>> read_now(const std::string& path, u64 limit, ReadFrom from) {
  const bool streams = from == ReadFrom::Everywhere;
  const FileDescriptor fd = TRY(
      open_now(path, {.flags = O_RDONLY, .kinds = streams ? FileKinds::All : FileKinds::Images}));
  auto data = has(FileKinds::Images, kind_of_file(fd.get())) ? read_image(fd.get(), limit)
                                                             : read_stream(fd.get(), limit);
  if (data) return data;
  return std::unexpected(std::move(data).error().within(fmt::format("Could not read '{}'", path)));
}

}  // namespace

FileKinds kind_of_file(int fd) {
  struct stat info{};
  return fstat(fd, &info) == 0 ? kind_of(info.st_mode) : FileKinds::Regular;
}

void limit_wait_for_files(std::chrono::milliseconds patience) { wait_limit = patience; }

// A system call that a file system does not answer cannot be taken back: it is left to a thread,
// and so is what comes of it when nobody wants that any more.
Result<> wait_for_file_system(const std::string& path, std::function<void()> work) {
  if (!wait_limit) {
    work();
    return {};
  }
  if (left_behind >= kMostLeftBehind)
    return not_open(path, "the file systems of {} other files do not answer", kMostLeftBehind);
  auto waiting = std::make_shared<Waiting>();
  const bool started = run_apart([waiting, work = std::move(work)]() mutable {
    work();
    const std::lock_guard lock(waiting->mutex);
    if (!waiting->wanted) {
      work = nullptr;  // may close a file that nobody wants, and wait once more
      --left_behind;
      return;
    }
    waiting->done = true;
    waiting->ended.notify_one();
  });
  if (!started) return not_open(path, "the host gives no more threads");
  std::unique_lock lock(waiting->mutex);
  if (waiting->ended.wait_for(lock, *wait_limit, [&waiting] { return waiting->done; })) return {};
  waiting->wanted = false;
  ++left_behind;
  return not_open(path, "its file system does not answer");
}

void close_host_file(FileDescriptor fd) {
  if (!wait_limit || !fd) return;
  const int number = fd.release();
  // Who does not answer has been told of when it was asked for more.
  (void)wait_for_file_system("", [number] { ::close(number); });
}

Result<FileDescriptor> open_host_file(const std::string& path, const HostFileOptions& options) {
  return ask_file_system<FileDescriptor>(path, [path, options] { return open_now(path, options); });
}

Result<std::vector<u8>> read_file(const std::string& path, u64 limit, ReadFrom from) {
  return ask_file_system<std::vector<u8>>(
      path, [path, limit, from] { return read_now(path, limit, from); });
}

Result<> write_all(int fd, std::span<const u8> data) {
  while (!data.empty()) {
    const ssize_t count = ::write(fd, data.data(), data.size());
    if (count > 0) data = data.subspan(static_cast<std::size_t>(count));
    if (count == 0) return fail("{}", errno_text(ENOSPC));
    if (count >= 0 || errno == EINTR) continue;
    if (errno != EAGAIN) return fail("{}", errno_text(errno));
    pollfd state{.fd = fd, .events = POLLOUT, .revents = 0};
    const int ready = poll(&state, 1, kPatienceMs);
    if (ready == 0) return fail("nobody takes what is written");
    if (ready < 0 && errno != EINTR) return fail("{}", errno_text(errno));
  }
  return {};
}

Result<OutputFile> OutputFile::create(const std::string& path) {
  constexpr int kFlags = O_WRONLY | O_CREAT;
  if (auto made = open_host_file(path, {.flags = kFlags | O_EXCL}))
    if (!TRY(fd_sets::id_in_path(path))) return OutputFile(std::move(*made), path, true);
  FileDescriptor file = TRY(open_host_file(path, {.flags = kFlags | O_TRUNC}));
  return OutputFile(std::move(file), path, false);
}

namespace {

/// Removes `path` if it still is the file that `fd` is: others may have put theirs there.
void unlink_own(int fd, const std::string& path) {
  struct stat own{}, now{};
  if (::fstat(fd, &own) == 0 && ::lstat(path.c_str(), &now) == 0 && own.st_dev == now.st_dev &&
      own.st_ino == now.st_ino)
    ::unlink(path.c_str());
}

}  // namespace

OutputFile::~OutputFile() {
  if (!fd_) return;
  if (made_)
    unlink_own(fd_.get(), path_);
  else if (kind_of_file(fd_.get()) == FileKinds::Regular && ftruncate(fd_.get(), 0) != 0)
    return;
}

Result<> OutputFile::write(std::span<const u8> data) {
  if (auto result = write_all(fd_.get(), data); !result)
    return std::unexpected(
        std::move(result).error().within(fmt::format("Could not write '{}'", path_)));
  return {};
}

Result<> OutputFile::finish() {
  // The descriptor's number is gone whatever close says; a copy knows the file.
  const FileDescriptor copy(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (::close(fd_.release()) == 0) return {};
  const int error = errno;
  if (made_) unlink_own(copy.get(), path_);
  return fail("Could not write '{}': {}", path_, errno_text(error));
}

}  // namespace rhea
