// SPDX-License-Identifier: GPL-2.0-or-later
// The program: its start-up phases, in order.
#include "accel/accelerator.h"
#include "cli/command_line.h"
#include "cli/signals.h"
#include "gdbstub/server.h"
#include "hw/i386/board.h"
#include "monitor/monitors.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/log.h"

#include <fmt/core.h>

#include <clocale>
#include <csignal>
#include <new>
#include <system_error>

namespace rhea::cli {
namespace {

Result<> start(Machine& machine, const std::vector<GivenOption>& given) {
  const DomainGuard guard(&machine.lock());
  TRY(apply_phase(machine, given, StartPhase::Early));
  TRY(apply_phase(machine, given, StartPhase::Config));
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
  machine.machine_ready();
  TRY(accel.create_vcpus());
  TRY(apply_phase(machine, given, StartPhase::Monitors));
  TRY(machine.service<Monitors>().start());
  TRY(machine.service<gdbstub::Server>().start());
  machine.reset_now(ShutdownCause::None, ResetKind::Cold);
  for (const std::string& global : machine.unused_globals())
    report_warning(fmt::format("-global {} has no effect: no such device was made", global));
  if (!machine.config.start_paused && accel.vm().runs_code()) machine.resume();
  return {};
}

int run(int argc, char** argv) {
  auto given = parse_command_line(argc, argv);
  if (!given) {
    report_error(given.error().message());
    return 1;
  }
  Machine machine;
  SignalWatch signals;
  if (auto result = start(machine, *given); !result) {
    report_error(result.error().message());
    return 1;
  }
  signals.hand_over(machine);
  return machine.run_main_loop();
}

}  // namespace
}  // namespace rhea::cli

int main(int argc, char** argv) {
  // A peer that went away and a file limit that is met are errors of the write, like others.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  const std::string_view program = argv[0];
  rhea::set_program_name(program.substr(program.rfind('/') + 1));
  try {
    return rhea::cli::run(argc, argv);
  } catch (const rhea::ExitRequest& request) {
    std::fflush(stdout);
    return request.code;
  } catch (const std::bad_alloc&) {
    rhea::report_error("out of memory: the host or a limit (ulimit -v) gives no more");
  } catch (const std::system_error& error) {
    rhea::report_error(error.what());
  }
  return 1;
}
