// SPDX-License-Identifier: GPL-2.0-or-later
// Falling asleep and waking up.
#include "rhea/softmmu/suspension.h"

namespace rhea {

Suspension::Suspension(Machine& machine) : machine_(&machine) {
  machine.on_run_state([this](RunState state) {
    if (state != RunState::Suspended) return;
    for (const auto& [owner, observer] : observers_) observer.suspended();
  });
}

void Suspension::observe(const void* owner, Observer observer) {
  forget(owner);
  observers_.emplace_back(owner, std::move(observer));
}

void Suspension::forget(const void* owner) {
  std::erase_if(observers_, [owner](const auto& entry) { return entry.first == owner; });
}

void Suspension::wake(WakeSource source) {
  if (suspended()) machine_->loop().defer([this, source] { wake_now(source); });
}

void Suspension::wake_now(WakeSource source) {
  if (!suspended() || !enabled_[static_cast<std::size_t>(source)]) return;
  for (const auto& [owner, observer] : observers_) observer.waking();
  machine_->reset_now(ShutdownCause::None, ResetKind::Warm);
  for (const auto& [owner, observer] : observers_) observer.woken(source);
  machine_->resume();
}

}  // namespace rhea
