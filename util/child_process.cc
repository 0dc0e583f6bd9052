// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/child_process.h"

#include "rhea/util/file_descriptor.h"

#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;  // NOLINT(readability-redundant-declaration): not every libc declares it

namespace rhea {
namespace {

// The sandbox is the whole process's, and so is what it forbids.
std::string& forbidden() {
  static std::string why;
  return why;
}

std::vector<char*> pointers(std::span<const std::string> texts) {
  std::vector<char*> all;
  for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  return all;
}

/// posix_spawn's two lists.
class Instructions {
 public:
  Instructions() {
    posix_spawn_file_actions_init(&files_);
    posix_spawnattr_init(&attributes_);
    sigset_t none, standard;
    sigemptyset(&none);
    sigemptyset(&standard);
    for (const int signal : {SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGHUP})
      sigaddset(&standard, signal);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &standard);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~Instructions() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  Instructions(const Instructions&) = delete;
  Instructions& operator=(const Instructions&) = delete;

  void pass(ChildProcess::Descriptor d) {
    posix_spawn_file_actions_adddup2(&files_, d.ours, d.as);
    last_ = std::max(last_, d.as);
  }
  // Most are closed by themselves; libraries' may not be.
  void close_others() { posix_spawn_file_actions_addclosefrom_np(&files_, last_ + 1); }
  const posix_spawn_file_actions_t* files() const { return &files_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
  int last_{STDERR_FILENO};
};

}  // namespace

void ChildProcess::forbid(std::string_view why) { forbidden() = why; }

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& words,
                                         std::span<const Descriptor> descriptors,
                                         std::span<const std::string> variables) {
  if (!forbidden().empty()) return fail("{} lets no program be started", forbidden());
  Instructions instructions;
  for (const Descriptor& d : descriptors) instructions.pass(d);
  instructions.close_others();
  std::vector<char*> arguments = pointers(words);
  arguments.push_back(nullptr);
  std::vector<char*> environment = pointers(variables);
  for (char** variable = environ; *variable != nullptr; ++variable)
    environment.push_back(*variable);
  environment.push_back(nullptr);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, arguments[0], instructions.files(),
                                   instructions.attributes(), arguments.data(), environment.data());
  if (error != 0) return fail("'{}' cannot be started: {}", words[0], errno_text(error));
  return ChildProcess(pid);
}

void ChildProcess::kill() const {
  if (pid_ >= 0) ::kill(pid_, SIGKILL);
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  kill();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<int> ChildProcess::wait(int ms) {
  if (pid_ < 0) return 0;
  const FileDescriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  pollfd state{.fd = handle.get(), .events = POLLIN, .revents = 0};
  if (handle && ::poll(&state, 1, ms) <= 0) return std::nullopt;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  return status;
}

std::string end_text(int status) {
  if (WIFSIGNALED(status)) return fmt::format("died: {}", ::strsignal(WTERMSIG(status)));
  return fmt::format("ended with status {}", WEXITSTATUS(status));
}

}  // namespace rhea
