// SPDX-License-Identifier: GPL-2.0-or-later
// -sandbox: what each word denies, in a process of its own.
#include "cli/sandbox.h"

#include "rhea/util/types.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>
#include <string>
#include <thread>

namespace rhea::cli {
namespace {

/// What becomes of a process that enters the sandbox and does something: "killed", or what the
/// action returned.
std::string outcome(const std::string& words, const std::function<int()>& action) {
  const auto policy = parse_sandbox(words);
  if (!policy) return policy.error().message();
  const pid_t child = fork();
  if (child == 0) {
    if (*policy && !enter_sandbox(**policy)) _exit(99);
    _exit(action());
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGSYS ? "killed" : "another signal";
  return std::to_string(WEXITSTATUS(status));
}

int start_program() {
  execl("/bin/true", "true", nullptr);
  return 1;
}
int start_process() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  int status = 1;
  waitpid(child, &status, 0);
  return status;
}
int start_thread() {
  int result = 1;
  std::thread([&] { result = 0; }).join();
  return result;
}
int set_session() { return setsid() < 0 && errno != EPERM ? 1 : 0; }
int set_priority() { return setpriority(PRIO_PROCESS, 0, 1) == 0 ? 0 : errno; }
int set_limit() {
  const rlimit limit{.rlim_cur = 0, .rlim_max = 0};
  return setrlimit(RLIMIT_CORE, &limit) == 0 ? 0 : errno;
}
int read_limit() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit);
}
int mount_something() { return mount("none", "/nowhere", "tmpfs", 0, nullptr) == 0 ? 0 : 1; }
int old_call() { return syscall(SYS_sysfs, 3) < 0 ? 1 : 0; }
int no_new_privileges() { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); }

TEST(Sandbox, OffDeniesNothing) {
  EXPECT_EQ(outcome("off", start_program), "0");
  EXPECT_EQ(outcome("off", mount_something), "1");
}

TEST(Sandbox, OnDeniesWhatNoEmulatorNeedsAndObsoleteCalls) {
  EXPECT_EQ(outcome("on", mount_something), "killed");
  EXPECT_EQ(outcome("on", old_call), "killed");
  EXPECT_EQ(outcome("on,obsolete=allow", old_call), "0");
}

TEST(Sandbox, OnLeavesTheRest) {
  EXPECT_EQ(outcome("on", start_program), "0");
  EXPECT_EQ(outcome("on", set_session), "0");
  EXPECT_EQ(outcome("on", set_priority), "0");
  EXPECT_EQ(outcome("on", start_thread), "0");
}

TEST(Sandbox, SpawnDeniesProcessesButNoThreads) {
  EXPECT_EQ(outcome("on,spawn=deny", start_program), "killed");
  EXPECT_EQ(outcome("on,spawn=deny", start_process), "killed");
  EXPECT_EQ(outcome("on,spawn=deny", start_thread), "0");
}

TEST(Sandbox, ElevationDeniesChangesOfUserAndSession) {
  EXPECT_EQ(outcome("on,elevateprivileges=deny", set_session), "killed");
  EXPECT_EQ(outcome("on,elevateprivileges=children", set_session), "0");
  EXPECT_EQ(outcome("on,elevateprivileges=children", no_new_privileges), "1");
}

TEST(Sandbox, ResourceControlFailsWithoutAKill) {
  EXPECT_EQ(outcome("on,resourcecontrol=deny", set_priority), std::to_string(EPERM));
  EXPECT_EQ(outcome("on,resourcecontrol=deny", set_limit), std::to_string(EPERM));
  EXPECT_EQ(outcome("on,resourcecontrol=deny", read_limit), "0");
}

TEST(Sandbox, IsForThreadsThatThereAreAlready) {
  const auto with_older_thread = [] {
    std::thread older([] {
      usleep(300'000);
      mount_something();
    });
    const bool entered = enter_sandbox(SandboxPolicy{}).has_value();
    older.join();
    return entered ? 0 : 98;
  };
  EXPECT_EQ(outcome("off", with_older_thread), "killed");
}

TEST(Sandbox, WrongWordsAreNamed) {
  const auto wrong = [](const std::string& words) {
    const auto policy = parse_sandbox(words);
    return policy ? "no error" : policy.error().message();
  };
  EXPECT_EQ(wrong("on,spawn=maybe"), "spawn=maybe: allow or deny is expected");
  EXPECT_EQ(wrong("on,spawn=deyn"), "spawn=deyn: allow or deny is expected; did you mean 'deny'?");
  EXPECT_EQ(wrong("on,nope=1"), "-sandbox: unknown parameter 'nope'");
}

}  // namespace
}  // namespace rhea::cli
