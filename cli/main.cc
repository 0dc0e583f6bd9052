// SPDX-License-Identifier: GPL-2.0-or-later
// The program: its start-up phases, in order.
#include "accel/accelerator.h"
#include "cli/command_line.h"
#include "cli/process.h"
#include "cli/signals.h"
#include "gdbstub/server.h"
#include "hw/i386/board.h"
#include "monitor/monitors.h"
#include "monitor/snapshot/snapshot_job.h"
#include "rhea/qom/device_trace.h"
#include "rhea/softmmu/machine.h"
#include "rhea/ui/display.h"
#include "rhea/util/host_file.h"
#include "rhea/util/log.h"
#include "rhea/util/out_of_memory.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <chrono>
#include <clocale>
#include <csignal>
#include <optional>
#include <system_error>

namespace rhea::cli {
namespace {

// What the parent closed would be the next file's, and what is printed would go into that.
void open_standard_streams() {
  for (int stream = 0; stream <= STDERR_FILENO; ++stream)
    if (::fcntl(stream, F_GETFD) == -1)
      if (auto nothing = open_host_file("/dev/null", {.flags = O_RDWR})) nothing->release();
}

void warn_of_unmatched_traces(Machine& machine) {
  for (const std::string& whose : trace::named_devices())
    if (!trace::finds(machine, whose))
      report_warning(fmt::format(
          "-trace {}:…: no device has this id, type or path; one that comes later may", whose));
}

Result<> start(Machine& machine, const std::vector<GivenOption>& given) {
  const DomainGuard guard(&machine.lock());
  foresee(machine, given);
  TRY(apply_phase(machine, given, StartPhase::Early));
  set_guest_name(machine.config.name);
  TRY(apply_phase(machine, given, StartPhase::Config));
  TRY(hw::choose_board(machine));
  TRY(apply_phase(machine, given, StartPhase::Backends));
  TRY(apply_phase(machine, given, StartPhase::Accelerator));
  auto& accel = machine.service<accel::AccelService>();
  TRY(accel.select());
  {
    // One map for the whole board instead of one after each of its parts.
    const Transaction transaction(machine.map());
    TRY(hw::build_board(machine));
    TRY(apply_phase(machine, given, StartPhase::Devices));
  }
  machine.service<Displays>().show_by_default();
  machine.machine_ready();
  TRY(accel.create_vcpus());
  TRY(apply_phase(machine, given, StartPhase::Monitors));
  TRY(machine.service<Monitors>().start());
  TRY(machine.service<gdbstub::Server>().start());
  machine.reset_now(ShutdownCause::None, ResetKind::Cold);
  TRY(machine.service<snapshot::SnapshotJob>().load_now());
  for (const std::string& warning : machine.unused_globals()) report_warning(warning);
  warn_of_unmatched_traces(machine);
  TRY(machine.service<ProcessOptions>().settle());
  const bool may_run = accel.vm().runs_code() && machine.run_state() == RunState::Prelaunch;
  if (!machine.config.start_paused && may_run) machine.resume();
  return {};
}

int run(int argc, char** argv) {
  auto given = parse_command_line(argc, argv);
  if (!given) {
    report_error(given.error().message());
    return 1;
  }
  Machine machine;
  auto& process = machine.service<ProcessOptions>();
  std::optional<SignalWatch> signals;
  try {
    auto result = apply_phase(machine, *given, StartPhase::Process);
    if (result) result = process.go_to_background();
    // From here on there are threads.
    if (result) result = (signals.emplace(), start(machine, *given));
    if (!result) {
      report_error(result.error().message());
      return 1;
    }
  } catch (const ExitRequest& request) {
    if (request.code == 0) process.report_success();
    throw;
  }
  signals->hand_over(machine);
  // No command keeps the guest and other clients waiting for a file system.
  limit_wait_for_files(std::chrono::milliseconds(500));
  const int code = machine.run_main_loop();
  // A guest's disks and logs, if all of them hang, take no longer than the end may.
  limit_wait_for_files(std::chrono::milliseconds(50));
  log_settle();
  return code;
}

// What -help and its kin have printed may not have arrived.
int after_printing(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  report_error(fmt::format("could not write to standard output: {}", errno_text(errno)));
  return 1;
}

}  // namespace
}  // namespace rhea::cli

int main(int argc, char** argv) {
  rhea::cli::open_standard_streams();
  // A peer that went away and a file limit that is met are errors of the write, like others.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  rhea::end_when_out_of_memory();
  const std::string_view program = argv[0];
  rhea::set_program_name(program.substr(program.rfind('/') + 1));
  try {
    return rhea::cli::run(argc, argv);
  } catch (const rhea::ExitRequest& request) {
    return rhea::cli::after_printing(request.code);
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) != 0) return rhea::cli::after_printing(1);
    rhea::report_error(fmt::format("the host gives no more threads: {}", error.what()));
  }
  return 1;
}
