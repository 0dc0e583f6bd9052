// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/softmmu/actions.h"

#include "rhea/util/keyval.h"
#include "rhea/util/known_names.h"
#include "rhea/util/option.h"

#include <array>

namespace rhea {
namespace {

constexpr std::array<std::string_view, 2> kReboot = {"reset", "shutdown"};
constexpr std::array<std::string_view, 2> kShutdown = {"poweroff", "pause"};

template <std::size_t Count>
Result<std::size_t> choice(std::string_view event, std::string_view action,
                           const std::array<std::string_view, Count>& names) {
  auto chosen = parse_enum(std::string(action), names.data(), names.size());
  if (!chosen) return std::unexpected(std::move(chosen).error().within(event));
  return chosen;
}

Result<> action_option(Machine& machine, const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text));
  for (const auto& [event, action] : options.all())
    TRY(machine.service<MachineActions>().set(event, action));
  return {};
}

Result<> watchdog_action(Machine& machine, const std::string& action) {
  return machine.service<MachineActions>().set("watchdog", action);
}

const RegisterOption options[] = {
    RegisterOption{{.name = "action",
                    .argument = "event=action[,...]",
                    .help = "what follows when the guest does something: reboot=reset|shutdown,\n"
                            "shutdown=poweroff|pause, panic=pause|shutdown|exit-failure|none,\n"
                            "watchdog=reset|shutdown|poweroff|inject-nmi|pause|debug|none",
                    .phase = StartPhase::Config,
                    .apply = &action_option}},
    RegisterOption{{.name = "watchdog-action",
                    .argument = "action",
                    .help = "the same as -action watchdog=action",
                    .phase = StartPhase::Config,
                    .apply = &watchdog_action}},
};

}  // namespace

Result<> MachineActions::set(std::string_view event, std::string_view action) {
  if (event == "reboot") {
    machine_->config.no_reboot = TRY(choice(event, action, kReboot)) == 1;
  } else if (event == "shutdown") {
    machine_->config.no_shutdown = TRY(choice(event, action, kShutdown)) == 1;
  } else if (event == "panic") {
    panic = static_cast<PanicAction>(TRY(choice(event, action, EnumTraits<PanicAction>::kNames)));
  } else if (event == "watchdog") {
    watchdog =
        static_cast<WatchdogAction>(TRY(choice(event, action, EnumTraits<WatchdogAction>::kNames)));
  } else {
    return fail("{}",
                with_remark(fmt::format("Invalid parameter '{}'", event),
                            nearest_hint(event, {"reboot", "shutdown", "panic", "watchdog"})));
  }
  return {};
}

}  // namespace rhea
