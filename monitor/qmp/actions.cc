// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: what follows from what the guest does, and the events that tell of it.
#include "rhea/softmmu/actions.h"

#include "monitor/qmp/command.h"
#include "monitor/qmp/event.h"

namespace rhea::qmp {
namespace {

Result<Json> set_action(Context& context, const Json& arguments) {
  auto& actions = context.machine.service<MachineActions>();
  for (const auto& [event, action] : arguments.items())
    TRY(actions.set(event, action.get<std::string>()));
  return Json();
}

Result<Json> watchdog_set_action(Context& context, const Json& arguments) {
  TRY(context.machine.service<MachineActions>().set("watchdog",
                                                    text_argument(arguments, "action")));
  return Json();
}

constexpr const auto& kPanic = EnumTraits<PanicAction>::kNames;
constexpr const auto& kWatchdog = EnumTraits<WatchdogAction>::kNames;

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "RebootAction", .values = {"reset", "shutdown"}}),
    RegisterQmpType({.name = "ShutdownAction", .values = {"poweroff", "pause"}}),
    RegisterQmpType({.name = "PanicAction", .values = {kPanic.begin(), kPanic.end()}}),
    RegisterQmpType({.name = "WatchdogAction", .values = {kWatchdog.begin(), kWatchdog.end()}}),
    RegisterQmpType({.name = "GuestPanicAction", .values = {"pause", "poweroff", "run"}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "set-action",
                        .arguments = {{"reboot", "RebootAction", true},
                                      {"shutdown", "ShutdownAction", true},
                                      {"panic", "PanicAction", true},
                                      {"watchdog", "WatchdogAction", true}},
                        .run = &set_action}),
    RegisterQmpCommand({.name = "watchdog-set-action",
                        .arguments = {{"action", "WatchdogAction"}},
                        .run = &watchdog_set_action}),
};
const RegisterQmpEvent events[] = {
    RegisterQmpEvent({.name = "WATCHDOG", .data = {{"action", "WatchdogAction"}}}),
    RegisterQmpEvent({.name = "GUEST_PANICKED", .data = {{"action", "GuestPanicAction"}}}),
    RegisterQmpEvent({.name = "GUEST_CRASHLOADED", .data = {{"action", "GuestPanicAction"}}}),
};

}  // namespace
}  // namespace rhea::qmp
