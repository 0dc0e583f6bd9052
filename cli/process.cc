// SPDX-License-Identifier: GPL-2.0-or-later
// The process's own options, and the steps they ask for.
#include "cli/process.h"

#include "rhea/qom/schema.h"
#include "rhea/ui/display.h"
#include "rhea/util/fd_sets.h"
#include "rhea/util/keyval.h"
#include "rhea/util/option.h"
#include "softmmu/last_programs.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

namespace rhea::cli {
namespace {

Result<> daemonize(Machine& machine, const std::string&) {
  machine.service<ProcessOptions>().daemonize = true;
  return {};
}

Result<> pid_file(Machine& machine, const std::string& path) {
  if (path.empty()) return fail("a file's name is expected");
  machine.service<ProcessOptions>().pid_path = path;
  return {};
}

Result<> change_root_option(Machine& machine, const std::string& folder) {
  machine.service<ProcessOptions>().root = folder;
  return {};
}

Result<> run_as(Machine& machine, const std::string& name) {
  machine.service<ProcessOptions>().user = TRY(find_user(name));
  return {};
}

Result<> sandbox_option(Machine& machine, const std::string& text) {
  machine.service<ProcessOptions>().sandbox = TRY(parse_sandbox(text));
  return {};
}

Result<std::optional<i64>> number(KeyValues& options, std::string_view key) {
  const auto text = options.take(key);
  if (!text) return std::nullopt;
  auto value = parse_unsigned(*text, {.min = 0, .max = fd_sets::kLargestId}, false);
  if (!value) return std::unexpected(std::move(value).error().within(key));
  return static_cast<i64>(*value);
}

// A copy goes into the set; the original, which another -add-fd may name again, is closed when the
// guest starts.
Result<> add_fd(Machine& machine, const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text));
  const auto fd = TRY(number(options, "fd")), set = TRY(number(options, "set"));
  auto opaque = options.take("opaque");
  TRY(options.expect_empty("-add-fd"));
  if (!fd) return fail("fd option is required");
  if (!set) return fail("set option is required");
  if (*fd <= STDERR_FILENO) return fail("fd cannot be a standard I/O stream");
  const int flags = fcntl(static_cast<int>(*fd), F_GETFD);
  if (flags < 0) return fail("fd={} is not open: {}", *fd, errno_text(errno));
  if ((flags & FD_CLOEXEC) != 0) return fail("fd={} was not passed from outside", *fd);
  FileDescriptor copy(fcntl(static_cast<int>(*fd), F_DUPFD_CLOEXEC, 0));
  if (!copy) return fail("fd={}: {}", *fd, errno_text(errno));
  TRY(fd_sets::add(std::move(copy), set, std::move(opaque)));
  machine.service<ProcessOptions>().handed_over.insert(static_cast<int>(*fd));
  return {};
}

// Rhea reads no configuration that was not named.
Result<> nothing_to_do(Machine&, const std::string&) { return {}; }

using enum StartPhase;
const RegisterOption options[] = {
    RegisterOption{{.name = "daemonize",
                    .argument = "",
                    .help = "go to the background once everything listens; errors before that are\n"
                            "shown and give status 1",
                    .phase = Process,
                    .apply = &daemonize}},
    RegisterOption{{.name = "pidfile",
                    .argument = "file",
                    .help = "write the process's id to this file, and remove it at the end",
                    .phase = Process,
                    .apply = &pid_file}},
    RegisterOption{{.name = "chroot",
                    .argument = "dir",
                    .help = "change to this root folder just before the guest starts",
                    .phase = Process,
                    .apply = &change_root_option}},
    RegisterOption{{.name = "runas",
                    .argument = "user|uid:gid",
                    .help = "change to this user just before the guest starts",
                    .phase = Process,
                    .apply = &run_as}},
    RegisterOption{
        {.name = "sandbox",
         .argument = "on|off[,obsolete=allow|deny][,elevateprivileges=allow|deny|children]\n"
                     "        [,spawn=allow|deny][,resourcecontrol=allow|deny]",
         .help = "a system-call filter from the guest's start on: what no emulator needs ends the\n"
                 "process; obsolete calls (denied unless allowed), changes of user and group, new\n"
                 "processes, and priorities and limits (allowed unless denied)",
         .phase = Process,
         .apply = &sandbox_option}},
    RegisterOption{{.name = "add-fd",
                    .argument = "fd=fd,set=set[,opaque=text]",
                    .help = "a descriptor that was passed on becomes the file /dev/fdset/SET",
                    .phase = Process,
                    .apply = &add_fd}},
    RegisterOption{{.name = "no-user-config",
                    .argument = "",
                    .help = "read no configuration files but those named (there are none)",
                    .phase = Process,
                    .apply = &nothing_to_do}},
};

}  // namespace

Result<> ProcessOptions::go_to_background() {
  if (daemonize) daemon_ = TRY(Daemon::start());
  if (pid_path.empty()) return {};
  auto made = PidFile::create(pid_path);
  if (!made) return std::unexpected(std::move(made).error().within("-pidfile " + pid_path));
  pid_file_ = std::move(*made);
  return {};
}

// Nobody is at the terminal that a daemon left.
Result<> ProcessOptions::check_background() const {
  if (!daemon_) return {};
  if (machine_->service<Displays>().name() == "curses")
    return fail("-display curses cannot be used with -daemonize");
  bool stdio = false;
  machine_->visit([&](Object& object) { stdio |= object.type().name == "chardev-stdio"; });
  // -nographic puts ports there that lead nowhere else.
  if (stdio && !machine_->config.graphics) return fail("-nographic cannot be used with -daemonize");
  if (stdio) return fail("a character device on stdio cannot be used with -daemonize");
  return {};
}

Result<> ProcessOptions::settle() {
  TRY(check_background());
  const auto& programs = machine_->service<LastPrograms>();
  if (!root.empty()) TRY(programs.start());
  if (!root.empty()) TRY(change_root(root));
  if (user) TRY(become(*user));
  if (sandbox && !sandbox->spawn) TRY(programs.start());
  if (daemon_) TRY(daemon_->detach());
  for (const int fd : std::exchange(handed_over, {})) ::close(fd);
  if (sandbox) TRY(enter_sandbox(*sandbox));
  report_success();
  return {};
}

void ProcessOptions::report_success() {
  if (daemon_) daemon_->report_success();
}

}  // namespace rhea::cli
