// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: objects that users make and take away, and what follows from what the guest does.
#include "monitor/qmp/command.h"
#include "rhea/softmmu/actions.h"
#include "softmmu/user_objects.h"

namespace rhea::qmp {
namespace {

Result<Json> object_add(Context& context, const Json& arguments) {
  std::vector<std::pair<std::string, Value>> properties;
  for (const auto& [key, value] : arguments.items()) {
    if (key == "qom-type" || key == "id") continue;
    auto scalar = to_value(value);
    if (!scalar)
      return std::unexpected(std::move(scalar).error().within(fmt::format("Parameter '{}'", key)));
    properties.emplace_back(key, *scalar);
  }
  TRY(add_user_object(context.machine, text_argument(arguments, "qom-type"), properties,
                      text_argument(arguments, "id")));
  return Json();
}

Result<Json> object_del(Context& context, const Json& arguments) {
  TRY(remove_user_object(context.machine, text_argument(arguments, "id")));
  return Json();
}

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
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "object-add",
                        .arguments = {{"qom-type", "str"}, {"id", "str"}},
                        .open = true,
                        .run = &object_add}),
    RegisterQmpCommand({.name = "object-del", .arguments = {{"id", "str"}}, .run = &object_del}),
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

}  // namespace
}  // namespace rhea::qmp
