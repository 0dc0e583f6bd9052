// SPDX-License-Identifier: GPL-2.0-or-later
// Falling asleep and waking up.
#include "rhea/softmmu/suspension.h"

#include "softmmu/standstill.h"

namespace rhea {

Suspension::Suspension(Machine& machine) : machine_(&machine) {
  machine.on_run_state([this](RunState state) {
    if (state == RunState::Suspended) suspended_.tell();
  });
}

void Suspension::observe(Observer observer, Device* of) {
  suspended_.add(std::move(observer.suspended), of);
  waking_.add(std::move(observer.waking), of);
  woken_.add(std::move(observer.woken), of);
}

void Suspension::wake(WakeSource source) {
  if (suspended()) machine_->loop().defer([this, source] { wake_now(source); });
}

void Suspension::wake_now(WakeSource source) {
  if (!suspended() || !enabled_[static_cast<std::size_t>(source)]) return;
  auto& standstill = machine_->service<Standstill>();
  if (!standstill.need_none()) return standstill.at_end([this, source] { wake(source); });
  waking_.tell();
  machine_->reset_now(ShutdownCause::None, ResetKind::Warm);
  woken_.tell(source);
  machine_->resume();
}

}  // namespace rhea
