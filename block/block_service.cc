// SPDX-License-Identifier: GPL-2.0-or-later
// What the drives of a machine have in common.
#include "block/block_service.h"

#include "rhea/block/block_backend.h"

namespace rhea::block {

BlockService::BlockService(Machine& machine) : machine_(&machine) {
  machine.on_run_state([&machine](RunState state) {
    if (state == RunState::Running) return;
    for (BlockBackend* drive : drives(machine)) drive->drain();
  });
}

void BlockService::tell(const BlockBackend& drive, bool open) const {
  for (const auto& observer : tray_observers_) observer(drive, open);
}

// A guest moves its tray on its processor's thread.
void BlockService::tray_moved(const BlockBackend& drive, bool open) {
  if (Vcpu::current() == nullptr) return tell(drive, open);
  machine_->loop().defer([this, name = drive.name(), open] {
    if (const BlockBackend* still = find_drive(*machine_, name)) tell(*still, open);
  });
}

}  // namespace rhea::block
