// SPDX-License-Identifier: GPL-2.0-or-later
// -action and QMP's set-action: what follows when the guest resets, powers off, panics, or lets
// its watchdog expire.
#pragma once

#include "rhea/qom/value.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/message_limit.h"

#include <functional>
#include <string_view>

namespace rhea {

enum class PanicAction : u8 { Pause, Shutdown, ExitFailure, None };
template <>
struct EnumTraits<PanicAction> {
  static constexpr std::string_view kType = "PanicAction";
  static constexpr std::array<std::string_view, 4> kNames = {"pause", "shutdown", "exit-failure",
                                                             "none"};
};

enum class WatchdogAction : u8 { Reset, Shutdown, Poweroff, Pause, Debug, None, InjectNmi };
template <>
struct EnumTraits<WatchdogAction> {
  static constexpr std::string_view kType = "WatchdogAction";
  static constexpr std::array<std::string_view, 7> kNames = {
      "reset", "shutdown", "poweroff", "pause", "debug", "none", "inject-nmi"};
};

/// For the devices that hear of a panic or are watchdogs; what follows reset and power-off is in
/// MachineConfig (no_reboot, no_shutdown). Under the machine's lock.
class MachineActions final : public MachineService {
 public:
  explicit MachineActions(Machine& machine) : machine_(&machine) {}

  PanicAction panic{PanicAction::Shutdown};
  WatchdogAction watchdog{WatchdogAction::Reset};

  /// `event` is reboot, shutdown, panic or watchdog, `action` one of its actions.
  Result<> set(std::string_view event, std::string_view action);

  /// Tell management tools (QMP's WATCHDOG, GUEST_PANICKED, GUEST_CRASHLOADED) and do what is to
  /// follow, which a guest may have as often as it likes. A watchdog does so in a timer of its own,
  /// the others where the guest's processor is.
  void watchdog_expired();
  void guest_panicked();
  /// The guest's kernel crashed, and another has been loaded to look at what is left.
  void guest_crash_loaded();

  /// An NMI for all processors; set by the accelerator, or empty.
  std::function<void()> inject_nmi;

 private:
  Machine* machine_;
  MessageLimit fired_;
};

}  // namespace rhea
