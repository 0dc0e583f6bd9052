// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/user/sandbox.h"

#include "rhea/util/types.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <memory>

namespace rhea::net::user {
namespace {

struct ReleaseFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};

/// Sockets that are there, time, memory, the end.
constexpr std::initializer_list<const char*> kAllowed = {"accept",
                                                         "accept4",
                                                         "brk",
                                                         "clock_gettime",
                                                         "clock_nanosleep",
                                                         "close",
                                                         "dup3",
                                                         "exit",
                                                         "exit_group",
                                                         "fstat",
                                                         "futex",
                                                         "getpeername",
                                                         "getpid",
                                                         "getrandom",
                                                         "getsockname",
                                                         "getsockopt",
                                                         "gettid",
                                                         "gettimeofday",
                                                         "lseek",
                                                         "madvise",
                                                         "mremap",
                                                         "munmap",
                                                         "poll",
                                                         "ppoll",
                                                         "read",
                                                         "readv",
                                                         "recvfrom",
                                                         "recvmmsg",
                                                         "recvmsg",
                                                         "rt_sigaction",
                                                         "rt_sigreturn",
                                                         "rt_sigprocmask",
                                                         "sched_yield",
                                                         "sendmmsg",
                                                         "sendmsg",
                                                         "sendto",
                                                         "setsockopt",
                                                         "shutdown",
                                                         "time",
                                                         "write",
                                                         "writev",
                                                         "connect",
                                                         "restart_syscall"};

class Filter {
 public:
  Filter() : filter_(seccomp_init(SCMP_ACT_ERRNO(EPERM))) {}

  void allow(const char* name) {
    if (const int number = seccomp_syscall_resolve_name(name); number != __NR_SCMP_ERROR)
      note(seccomp_rule_add_array(filter_.get(), SCMP_ACT_ALLOW, number, 0, nullptr));
  }
  void allow_if(const char* name, std::initializer_list<scmp_arg_cmp> conditions) {
    note(seccomp_rule_add_array(filter_.get(), SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(name),
                                static_cast<unsigned>(conditions.size()), conditions.begin()));
  }
  /// errno, or 0.
  int load() { return error_ != 0 ? error_ : -seccomp_load(filter_.get()); }

 private:
  void note(int result) {
    if (result < 0 && error_ == 0) error_ = -result;
  }

  std::unique_ptr<void, ReleaseFilter> filter_;
  int error_{0};
};

}  // namespace

Result<> enter_sandbox() {
  // What a guest's connections may take here; when it is used up, this process alone dies.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  constexpr rlimit kMemory{.rlim_cur = u64{512} << 20, .rlim_max = u64{512} << 20};
  ::setrlimit(RLIMIT_DATA, &kMemory);
#endif
  // A connection has buffers of 256 KiB: as many as fit, so that one more is refused to the guest
  // and does not end all.
  constexpr rlim_t kMostFiles = 1536;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max = std::min(files.rlim_cur, kMostFiles);
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  constexpr rlimit kNoCore{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &kNoCore);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  Filter filter;
  for (const char* name : kAllowed) filter.allow(name);
  for (const u64 family : {AF_INET, AF_INET6})
    for (const u64 type : {SOCK_STREAM, SOCK_DGRAM})
      filter.allow_if("socket",
                      {SCMP_A0(SCMP_CMP_EQ, family), SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, type)});
  for (const char* name : {"mmap", "mprotect"})
    filter.allow_if(name, {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)});
  for (const u64 request : {u64{FIONREAD}, u64{FIONBIO}})
    filter.allow_if("ioctl", {SCMP_A1(SCMP_CMP_EQ, request)});
  // Flags and copies; others of its commands have signals sent to whomever one names.
  for (const u64 command : {F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD, F_DUPFD_CLOEXEC})
    filter.allow_if("fcntl", {SCMP_A1(SCMP_CMP_EQ, command)});
  // abort()
  filter.allow_if("tgkill", {SCMP_A0(SCMP_CMP_EQ, static_cast<u64>(::getpid()))});
#ifdef __SANITIZE_ADDRESS__
  // How sanitizers ask where the stack is of a function that does not return, and whether memory
  // can be read.
  for (const char* name : {"sigaltstack", "pipe", "pipe2"}) filter.allow(name);
#endif
  // How the C library asks about a descriptor.
  constexpr u64 kEmptyPath = 0x1000;
  filter.allow_if("newfstatat", {SCMP_A3(SCMP_CMP_EQ, kEmptyPath)});
  if (const int error = filter.load(); error != 0)
    return fail("the system-call filter is refused: {}", errno_text(error));
  return {};
}

}  // namespace rhea::net::user
