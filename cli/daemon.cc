// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/daemon.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace rhea::cli {
namespace {

constexpr char kReady = 'r';

// The caller's part: one byte is success; an end of file without it says that nobody is left.
[[noreturn]] void wait_for_background(int fd) {
  char status = 0;
  ssize_t count = 0;
  do count = ::read(fd, &status, 1);
  while (count < 0 && errno == EINTR);
  _exit(count == 1 && status == kReady ? 0 : 1);
}

// A signal to the caller's group should not reach the background process, and a session without a
// leader never gets a terminal: hence the second fork.
Result<> fork_off() {
  const pid_t child = ::fork();
  if (child < 0) return fail("-daemonize: {}", errno_text(errno));
  if (child > 0) _exit(0);
  return {};
}

}  // namespace

Result<Daemon> Daemon::start() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail("-daemonize: {}", errno_text(errno));
  const FileDescriptor waiting(ends[0]);
  FileDescriptor telling(ends[1]);
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) return fail("-daemonize: {}", errno_text(errno));
  if (child > 0) {
    telling.reset();
    ::waitpid(child, nullptr, 0);
    wait_for_background(waiting.get());
  }
  ::setsid();
  TRY(fork_off());
  ::umask(027);
  return Daemon(std::move(telling));
}

Result<> Daemon::detach() {
  if (::chdir("/") != 0) return fail("-daemonize: cannot go to /: {}", errno_text(errno));
  // Under -chroot there may be no /dev/null: then an end of file is as good for input, and a pipe
  // that nobody reads for output.
  FileDescriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  std::array<int, 2> pipe{};
  if (!null && ::pipe2(pipe.data(), O_CLOEXEC) != 0)
    return fail("-daemonize: {}", errno_text(errno));
  const FileDescriptor in(null ? -1 : pipe[0]), out(null ? -1 : pipe[1]);
  std::fflush(nullptr);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    const int other = standard == STDIN_FILENO ? in.get() : out.get();
    if (::dup2(null ? null.get() : other, standard) < 0)
      return fail("-daemonize: {}", errno_text(errno));
  }
  return {};
}

void Daemon::report_success() {
  // The caller may be gone: nobody is to be told then.
  [[maybe_unused]] const auto count = ::write(caller_.get(), &kReady, 1);
  caller_.reset();
}

}  // namespace rhea::cli
