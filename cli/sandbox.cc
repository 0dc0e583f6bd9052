// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/sandbox.h"

#include "rhea/util/keyval.h"
#include "rhea/util/known_names.h"
#include "rhea/util/types.h"
#include "util/child_process.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>

#include <array>
#include <cerrno>
#include <initializer_list>
#include <memory>
#include <utility>

namespace rhea::cli {
namespace {

// What rules over the whole host, or looks into other processes: no emulator has to.
constexpr std::initializer_list<const char*> kNever = {"acct",
                                                       "add_key",
                                                       "adjtimex",
                                                       "bpf",
                                                       "chroot",
                                                       "clock_adjtime",
                                                       "clock_settime",
                                                       "delete_module",
                                                       "fanotify_init",
                                                       "finit_module",
                                                       "fsconfig",
                                                       "fsmount",
                                                       "fsopen",
                                                       "fspick",
                                                       "init_module",
                                                       "ioperm",
                                                       "iopl",
                                                       "kcmp",
                                                       "kexec_file_load",
                                                       "kexec_load",
                                                       "keyctl",
                                                       "lookup_dcookie",
                                                       "mount",
                                                       "mount_setattr",
                                                       "move_mount",
                                                       "nfsservctl",
                                                       "open_by_handle_at",
                                                       "open_tree",
                                                       "perf_event_open",
                                                       "pidfd_getfd",
                                                       "pivot_root",
                                                       "process_vm_readv",
                                                       "process_vm_writev",
                                                       "ptrace",
                                                       "quotactl",
                                                       "quotactl_fd",
                                                       "reboot",
                                                       "request_key",
                                                       "setdomainname",
                                                       "sethostname",
                                                       "settimeofday",
                                                       "stime",
                                                       "swapoff",
                                                       "swapon",
                                                       "syslog",
                                                       "umount",
                                                       "umount2",
                                                       "vhangup"};

// Nothing since long ago makes these, and the kernel keeps them for its oldest programs.
constexpr std::initializer_list<const char*> kObsolete = {
    "_sysctl",  "afs_syscall", "bdflush",        "break",   "create_module", "ftime",
    "getpmsg",  "gtty",        "idle",           "lock",    "mpx",           "prof",
    "profil",   "putpmsg",     "query_module",   "readdir", "security",      "sgetmask",
    "ssetmask", "stty",        "sysfs",          "tuxcall", "ulimit",        "uselib",
    "ustat",    "vserver",     "get_kernel_syms"};

constexpr std::initializer_list<const char*> kElevation = {
    "capset",   "setfsgid",  "setfsuid",  "setgid",   "setgroups", "setpgid",
    "setregid", "setresgid", "setresuid", "setreuid", "setsid",    "setuid"};

constexpr std::initializer_list<const char*> kSpawn = {"execve", "execveat", "fork",
                                                       "setns",  "unshare",  "vfork"};

constexpr std::initializer_list<const char*> kResources = {
    "ioprio_set",         "nice",        "sched_setaffinity", "sched_setattr", "sched_setparam",
    "sched_setscheduler", "setpriority", "setrlimit"};

struct ReleaseFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};

/// A filter that lets everything through but what is added.
class Filter {
 public:
  Filter() : filter_(seccomp_init(SCMP_ACT_ALLOW)) {}

  bool set_attributes() {
    return filter_ && seccomp_attr_set(filter_.get(), SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
           seccomp_attr_set(filter_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0;
  }
  // Calls that this kernel's architecture does not have need no rule.
  void deny(std::initializer_list<const char*> names, u32 action) {
    for (const char* name : names)
      if (const int number = seccomp_syscall_resolve_name(name); number != __NR_SCMP_ERROR)
        add(action, number, {});
  }
  void deny_if(const char* name, u32 action, scmp_arg_cmp condition) {
    add(action, seccomp_syscall_resolve_name(name), condition);
  }
  /// errno, or 0.
  int load() { return error_ != 0 ? error_ : -seccomp_load(filter_.get()); }

 private:
  void add(u32 action, int number, std::optional<scmp_arg_cmp> condition) {
    const int result = condition
                           ? seccomp_rule_add_array(filter_.get(), action, number, 1, &*condition)
                           : seccomp_rule_add_array(filter_.get(), action, number, 0, nullptr);
    if (result < 0 && error_ == 0) error_ = -result;
  }

  std::unique_ptr<void, ReleaseFilter> filter_;
  int error_{0};
};

// A thread is a clone, too; glibc asks for one by clone3 first, whose flags no filter can see, and
// falls back when there is none.
void deny_spawn(Filter& filter) {
  filter.deny(kSpawn, SCMP_ACT_KILL_PROCESS);
  filter.deny({"clone3"}, SCMP_ACT_ERRNO(ENOSYS));
  filter.deny_if("clone", SCMP_ACT_KILL_PROCESS, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
}

// prlimit64 also reads limits.
void deny_resources(Filter& filter) {
  filter.deny(kResources, SCMP_ACT_ERRNO(EPERM));
  filter.deny_if("prlimit64", SCMP_ACT_ERRNO(EPERM), SCMP_A2(SCMP_CMP_NE, 0));
}

Result<> choose(KeyValues& options, std::string_view key,
                std::initializer_list<std::string_view> values, std::size_t& chosen) {
  const auto text = options.take(key);
  if (!text) return {};
  for (const auto* it = values.begin(); it != values.end(); ++it)
    if (*it == *text) {
      chosen = static_cast<std::size_t>(it - values.begin());
      return {};
    }
  return fail("{}", with_remark(fmt::format("{}={}: allow or deny is expected", key, *text),
                                nearest_hint(*text, values)));
}

}  // namespace

Result<std::optional<SandboxPolicy>> parse_sandbox(const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text, "enable"));
  const bool enable = TRY(options.take_bool("enable", false));
  std::size_t obsolete = 1, elevation = 0, spawn = 0, resources = 0;
  TRY(choose(options, "obsolete", {"allow", "deny"}, obsolete));
  TRY(choose(options, "elevateprivileges", {"allow", "deny", "children"}, elevation));
  TRY(choose(options, "spawn", {"allow", "deny"}, spawn));
  TRY(choose(options, "resourcecontrol", {"allow", "deny"}, resources));
  TRY(options.expect_empty("-sandbox"));
  if (!enable) return std::nullopt;
  return SandboxPolicy{.obsolete = obsolete == 0,
                       .elevation = static_cast<SandboxPolicy::Elevation>(elevation),
                       .spawn = spawn == 0,
                       .resources = resources == 0};
}

Result<> enter_sandbox(const SandboxPolicy& policy) {
  using enum SandboxPolicy::Elevation;
  if (policy.elevation == Children && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail("-sandbox elevateprivileges=children: {}", errno_text(errno));
  Filter filter;
  if (!filter.set_attributes())
    return fail("-sandbox: this host's kernel cannot filter the calls of all threads");
  filter.deny(kNever, SCMP_ACT_KILL_PROCESS);
  if (!policy.obsolete) filter.deny(kObsolete, SCMP_ACT_KILL_PROCESS);
  if (policy.elevation == Deny) filter.deny(kElevation, SCMP_ACT_KILL_PROCESS);
  if (!policy.spawn) deny_spawn(filter);
  if (!policy.resources) deny_resources(filter);
  if (const int error = filter.load(); error != 0)
    return fail("-sandbox: the filter is refused: {}", errno_text(error));
  if (!policy.spawn) ChildProcess::forbid("-sandbox spawn=deny");
  return {};
}

}  // namespace rhea::cli
