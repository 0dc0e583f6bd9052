// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/softmmu/actions.h"

#include "rhea/softmmu/tool_events.h"
#include "rhea/util/keyval.h"
#include "rhea/util/known_names.h"
#include "rhea/util/log.h"
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

template <class Action>
std::string name_of(Action action) {
  return std::string(EnumTraits<Action>::kNames[static_cast<std::size_t>(action)]);
}

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

// What stands still afterwards, or ends, has its event before that; else a guest could send them as
// fast as it runs.
void MachineActions::watchdog_expired() {
  const bool last = watchdog == WatchdogAction::Pause || watchdog == WatchdogAction::Poweroff;
  machine_->service<ToolEvents>().tell("WATCHDOG", {{"action", name_of(watchdog)}},
                                       last ? ToolEvents::Pace::AtOnce : ToolEvents::Pace::Held);
  switch (watchdog) {
    case WatchdogAction::Reset: machine_->request_reset(ShutdownCause::GuestReset); break;
    case WatchdogAction::Shutdown: machine_->request_powerdown(); break;
    case WatchdogAction::Poweroff: machine_->exit(0); break;
    case WatchdogAction::Pause: machine_->request_pause(RunState::Paused); break;
    case WatchdogAction::Debug:
      if (fired_.pass()) report_info("watchdog: timer fired");
      break;
    case WatchdogAction::None: break;
    case WatchdogAction::InjectNmi:
      if (inject_nmi) inject_nmi();
      break;
  }
}

void MachineActions::guest_panicked() {
  const bool pauses = panic == PanicAction::Pause ||
                      (panic == PanicAction::Shutdown && machine_->config.no_shutdown);
  if (panic == PanicAction::None) {
    machine_->service<ToolEvents>().tell("GUEST_PANICKED", {{"action", std::string("run")}});
    return;
  }
  // Once: the processor that asks for what follows stands until that is done.
  machine_->loop().defer([this, pauses] {
    machine_->service<ToolEvents>().tell("GUEST_PANICKED",
                                         {{"action", std::string(pauses ? "pause" : "poweroff")}},
                                         ToolEvents::Pace::AtOnce);
  });
  if (pauses)
    machine_->request_pause(RunState::GuestPanicked);
  else
    machine_->request_shutdown(ShutdownCause::GuestPanic);
}

void MachineActions::guest_crash_loaded() {
  machine_->service<ToolEvents>().tell("GUEST_CRASHLOADED", {{"action", std::string("run")}});
}

}  // namespace rhea
