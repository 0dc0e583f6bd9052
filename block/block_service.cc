// SPDX-License-Identifier: GPL-2.0-or-later
// What the drives of a machine have in common.
#include "block/block_service.h"

#include "rhea/block/block_backend.h"

#include <algorithm>
#include <iterator>
#include <utility>

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

// A guest moves its tray on its processor's thread, and it may do so faster than anybody listens:
// then a move takes back the one before.
void BlockService::tray_moved(const BlockBackend& drive, bool open) {
  constexpr std::size_t kMostMoves = 64;
  if (Vcpu::current() == nullptr) return tell(drive, open);
  if (moves_.size() >= kMostMoves) {
    const auto same = [&drive](const Move& move) { return move.drive == drive.name(); };
    const auto last = std::ranges::find_if(moves_.rbegin(), moves_.rend(), same);
    if (last != moves_.rend()) return void(moves_.erase(std::next(last).base()));
  }
  moves_.push_back({.drive = drive.name(), .open = open});
  if (moves_.size() > 1) return;
  machine_->loop().defer([this] {
    for (const Move& move : std::exchange(moves_, {}))
      if (const BlockBackend* still = find_drive(*machine_, move.drive)) tell(*still, move.open);
  });
}

}  // namespace rhea::block
