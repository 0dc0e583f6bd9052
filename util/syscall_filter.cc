// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/syscall_filter.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace rhea {

SyscallFilter::SyscallFilter() : filter_(seccomp_init(SCMP_ACT_ERRNO(EPERM))) {
  allow({"brk",          "clock_gettime",  "clock_nanosleep", "close",
         "exit",         "exit_group",     "fstat",           "futex",
         "getpid",       "getrandom",      "getsockopt",      "gettid",
         "gettimeofday", "lseek",          "madvise",         "mremap",
         "munmap",       "poll",           "ppoll",           "read",
         "readv",        "recvfrom",       "recvmsg",         "rt_sigaction",
         "rt_sigreturn", "rt_sigprocmask", "sched_yield",     "sendmsg",
         "sendto",       "setsockopt",     "shutdown",        "write",
         "writev",       "restart_syscall"});
  for (const char* name : {"mmap", "mprotect"})
    allow_if(name, {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)});
  for (const u64 request : {u64{FIONREAD}, u64{FIONBIO}})
    allow_if("ioctl", {SCMP_A1(SCMP_CMP_EQ, request)});
  // Flags and copies; others of its commands have signals sent to whomever one names.
  for (const u64 command : {F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD, F_DUPFD_CLOEXEC})
    allow_if("fcntl", {SCMP_A1(SCMP_CMP_EQ, command)});
  // abort()
  allow_if("tgkill", {SCMP_A0(SCMP_CMP_EQ, static_cast<u64>(::getpid()))});
#ifdef __SANITIZE_ADDRESS__
  // How sanitizers ask where the stack is of a function that does not return, and whether memory
  // can be read.
  allow({"sigaltstack", "pipe", "pipe2"});
#endif
  // How the C library asks about a descriptor.
  constexpr u64 kEmptyPath = 0x1000;
  allow_if("newfstatat", {SCMP_A3(SCMP_CMP_EQ, kEmptyPath)});
}

void SyscallFilter::allow(std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const int number = seccomp_syscall_resolve_name(name); number != __NR_SCMP_ERROR)
      note(seccomp_rule_add_array(filter_.get(), SCMP_ACT_ALLOW, number, 0, nullptr));
}

void SyscallFilter::allow_if(const char* name, std::initializer_list<scmp_arg_cmp> conditions) {
  note(seccomp_rule_add_array(filter_.get(), SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(name),
                              static_cast<unsigned>(conditions.size()), conditions.begin()));
}

Result<> SyscallFilter::enter() {
  constexpr rlimit kNoCore{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &kNoCore);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const int error = error_ != 0 ? error_ : -seccomp_load(filter_.get());
  if (error != 0) return fail("the system-call filter is refused: {}", errno_text(error));
  return {};
}

void limit_process(u64 bytes, u64 descriptors) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  const rlimit memory{.rlim_cur = bytes, .rlim_max = bytes};
  ::setrlimit(RLIMIT_DATA, &memory);
#endif
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max = std::min<rlim_t>(files.rlim_cur, descriptors);
  ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace rhea
