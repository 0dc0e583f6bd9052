// SPDX-License-Identifier: GPL-2.0-or-later
// -action and QMP's set-action: what follows when the guest resets, powers off, panics, or lets
// its watchdog expire.
#pragma once

#include "rhea/qom/value.h"
#include "rhea/softmmu/machine.h"

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
/// MachineConfig (no_reboot, no_shutdown).
class MachineActions final : public MachineService {
 public:
  explicit MachineActions(Machine& machine) : machine_(&machine) {}

  PanicAction panic{PanicAction::Shutdown};
  WatchdogAction watchdog{WatchdogAction::Reset};

  /// `event` is reboot, shutdown, panic or watchdog, `action` one of its actions.
  Result<> set(std::string_view event, std::string_view action);

 private:
  Machine* machine_;
};

}  // namespace rhea
