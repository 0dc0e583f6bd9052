// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: running, stopping, resetting, ending.
#include "block/block_service.h"
#include "monitor/dump/dump_job.h"
#include "monitor/qmp/command.h"
#include "rhea/softmmu/actions.h"
#include "rhea/softmmu/suspension.h"

namespace rhea::qmp {
namespace {

Result<Json> query_status(Context& context, const Json&) {
  return Json{{"status", enum_name(context.machine.run_state())},
              {"singlestep", false},
              {"running", context.machine.running()}};
}

// The guest stands at once, also one that would go on after a dump or a snapshot; the answer comes
// when its disks have done what it had asked of them.
Result<Json> stop(Context& context, const Json&) {
  Machine& machine = context.machine;
  if (machine.running() || machine.run_state() == RunState::SaveVm) machine.pause();
  context.later = std::make_shared<Later>();
  TRY(context.machine.service<block::BlockService>().when_stopped(
      [later = context.later] { later->finish(Json()); }));
  return Json();
}

Result<Json> cont(Context& context, const Json&) {
  const RunState state = context.machine.run_state();
  if (state == RunState::Shutdown || state == RunState::InternalError ||
      state == RunState::GuestPanicked)
    return fail("Resetting the Virtual Machine is required");
  TRY(context.machine.service<dump::DumpJob>().need_none());
  if (state == RunState::Suspended) return Json();  // only waking helps
  context.machine.resume();
  return Json();
}

Result<Json> quit(Context& context, const Json&) {
  context.machine.request_shutdown(ShutdownCause::HostQmpQuit);
  return Json();
}

Result<Json> system_reset(Context& context, const Json&) {
  context.machine.request_reset(ShutdownCause::HostQmpSystemReset, ResetKind::Cold);
  return Json();
}

Result<Json> system_powerdown(Context& context, const Json&) {
  context.machine.request_powerdown();
  return Json();
}

Result<Json> system_wakeup(Context& context, const Json&) {
  auto& suspension = context.machine.service<Suspension>();
  if (!suspension.suspended()) return fail("Unable to wake up: guest is not in suspended state");
  suspension.wake(WakeSource::Other);
  return Json();
}

Result<Json> query_current_machine(Context&, const Json&) {
  return Json{{"wakeup-suspend-support", true}};
}

Result<Json> inject_nmi(Context& context, const Json&) {
  const auto& actions = context.machine.service<MachineActions>();
  if (!actions.inject_nmi) return fail("machine does not provide NMIs: it has no CPU");
  actions.inject_nmi();
  return Json();
}

const RegisterQmpType run_state{
    {.name = "RunState",
     .values = {EnumTraits<RunState>::kNames.begin(), EnumTraits<RunState>::kNames.end()}}};
const RegisterQmpType status_info{
    {.name = "StatusInfo",
     .members = {{"running", "bool"}, {"singlestep", "bool"}, {"status", "RunState"}}}};
const RegisterQmpType current_machine{
    {.name = "CurrentMachineParams", .members = {{"wakeup-suspend-support", "bool"}}}};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "query-status", .returns = "StatusInfo", .run = &query_status}),
    RegisterQmpCommand({.name = "stop", .run = &stop}),
    RegisterQmpCommand({.name = "cont", .run = &cont}),
    RegisterQmpCommand({.name = "quit", .run = &quit}),
    RegisterQmpCommand({.name = "system_reset", .run = &system_reset}),
    RegisterQmpCommand({.name = "system_powerdown", .run = &system_powerdown}),
    RegisterQmpCommand({.name = "system_wakeup", .run = &system_wakeup}),
    RegisterQmpCommand({.name = "query-current-machine",
                        .returns = "CurrentMachineParams",
                        .run = &query_current_machine}),
    RegisterQmpCommand({.name = "inject-nmi", .run = &inject_nmi}),
};

}  // namespace
}  // namespace rhea::qmp
