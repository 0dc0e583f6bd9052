// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the guest runs, and why not. Names are QMP's (query-status).
#pragma once

#include "rhea/qom/value.h"

#include <array>
#include <string_view>

namespace rhea {

enum class RunState : u8 {
  Prelaunch,
  Running,
  Paused,
  Debug,
  InternalError,
  IoError,
  Shutdown,
  Suspended,
  GuestPanicked,
  RestoreVm,
  SaveVm,
};
template <>
struct EnumTraits<RunState> {
  static constexpr std::string_view kType = "RunState";
  static constexpr std::array<std::string_view, 11> kNames = {
      "prelaunch", "running",   "paused",         "debug",      "internal-error", "io-error",
      "shutdown",  "suspended", "guest-panicked", "restore-vm", "save-vm"};
};

/// Why a machine resets or shuts down (QMP's ShutdownCause).
enum class ShutdownCause : u8 {
  None,
  HostError,
  HostQmpQuit,
  HostQmpSystemReset,
  HostSignal,
  HostUi,
  GuestShutdown,
  GuestReset,
  GuestPanic,
  SubsystemReset,
  SnapshotLoad,
};
template <>
struct EnumTraits<ShutdownCause> {
  static constexpr std::string_view kType = "ShutdownCause";
  static constexpr std::array<std::string_view, 11> kNames = {
      "none",        "host-error",      "host-qmp-quit",  "host-qmp-system-reset",
      "host-signal", "host-ui",         "guest-shutdown", "guest-reset",
      "guest-panic", "subsystem-reset", "snapshot-load"};
};
constexpr bool by_guest(ShutdownCause cause) {
  return cause == ShutdownCause::GuestShutdown || cause == ShutdownCause::GuestReset ||
         cause == ShutdownCause::GuestPanic;
}

/// What people outside are told (QMP events of the same names).
enum class MachineEvent : u8 { Resume, Stop, Reset, Shutdown, Powerdown };

}  // namespace rhea
