// SPDX-License-Identifier: GPL-2.0-or-later
// Suspension to RAM (ACPI's S3), and what ends it.
#pragma once

#include "rhea/softmmu/machine.h"

#include <array>
#include <atomic>
#include <functional>

namespace rhea {

enum class WakeSource : u8 {
  RtcAlarm,
  PowerButton,
  Other,  ///< a key, the mouse, a person at the monitor
};

/// A suspended machine's run state is Suspended. It wakes by a reset that RAM outlasts; firmware
/// finds out that it was asleep. machine.service<Suspension>(). Main thread, with the machine's
/// lock, unless said otherwise.
class Suspension final : public MachineService {
 public:
  explicit Suspension(Machine& machine);

  /// Soon; from any thread.
  void suspend() { machine_->request_pause(RunState::Suspended); }
  bool suspended() const { return machine_->run_state() == RunState::Suspended; }
  /// Whether a source wakes the machine; all do at first.
  void enable(WakeSource source, bool on) { enabled_[static_cast<std::size_t>(source)] = on; }
  /// Soon, if the machine is suspended and the source is enabled. From any thread.
  void wake(WakeSource source);

  struct Observer {
    std::function<void()> suspended = [] {};
    /// Called before the reset, and between it and the first instruction.
    std::function<void()> waking = [] {};
    std::function<void(WakeSource)> woken = [](WakeSource) {};
  };
  /// That of a device ends when it is unrealized.
  void observe(Observer observer, Device* of = nullptr);

 private:
  void wake_now(WakeSource source);

  Machine* machine_;
  std::array<std::atomic<bool>, 3> enabled_{true, true, true};
  Observers<> suspended_, waking_;
  Observers<WakeSource> woken_;
};

}  // namespace rhea
