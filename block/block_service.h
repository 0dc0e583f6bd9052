// SPDX-License-Identifier: GPL-2.0-or-later
// What the drives of a machine have in common.
#pragma once

#include "rhea/softmmu/machine.h"

#include <functional>
#include <string>
#include <vector>

namespace rhea {
class BlockBackend;
}  // namespace rhea

namespace rhea::block {

/// What -snapshot said. A stopped machine has no request under way: what is saved then is complete.
class BlockService final : public MachineService {
 public:
  explicit BlockService(Machine& machine);

  bool snapshot_all() const { return snapshot_all_; }
  void set_snapshot_all() { snapshot_all_ = true; }

  /// Told, on the main loop, whenever a tray was opened or closed, by whomever.
  using TrayObserver = std::function<void(const BlockBackend& drive, bool open)>;
  void on_tray_moved(TrayObserver observer) { tray_observers_.push_back(std::move(observer)); }
  void tray_moved(const BlockBackend& drive, bool open);

 private:
  void tell(const BlockBackend& drive, bool open) const;

  struct Move {
    std::string drive;
    bool open;
  };

  Machine* machine_;
  std::vector<Move> moves_;  ///< of guests, not yet told
  std::vector<TrayObserver> tray_observers_;
  bool snapshot_all_{false};
};

}  // namespace rhea::block
