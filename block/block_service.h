// SPDX-License-Identifier: GPL-2.0-or-later
// What the drives of a machine have in common.
#pragma once

#include "block/request_queue.h"
#include "rhea/softmmu/ending.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace rhea {
class BlockBackend;
}  // namespace rhea

namespace rhea::block {

/// What -snapshot said; who waits for disks, and how long their end may take.
class BlockService final : public MachineService {
 public:
  explicit BlockService(Machine& machine);
  void objects_gone() override;

  // Nobody waits for a disk with the machine's lock held: it may never answer.

  /// Calls `then` once no drive of the stopped machine has anything under way, or the machine runs
  /// again: at once, or later on the main loop. An error when too many wait.
  Result<> when_stopped(std::function<void()> then);
  /// Holds the drive's requests, and calls `then` in the same way once the disk has done those that
  /// were there before (or the drive has gone).
  Result<> when_quiet(BlockBackend& drive, std::function<void()> then);
  const Ending& ending() const { return *ending_; }
  /// Ends a drive's queue. Writes that the disk has not done then are done by themselves; the user
  /// hears of it when the program ends before.
  void close(RequestQueue& queue, const std::string& drive);

  bool snapshot_all() const { return snapshot_all_; }
  void set_snapshot_all() { snapshot_all_ = true; }

  /// Told, on the main loop, whenever a tray was opened or closed, by whomever.
  using TrayObserver = std::function<void(const BlockBackend& drive, bool open)>;
  void on_tray_moved(TrayObserver observer) { tray_observers_.push_back(std::move(observer)); }
  void tray_moved(const BlockBackend& drive, bool open);

 private:
  friend class rhea::BlockBackend;
  static constexpr std::size_t kMostWaiting = 64;

  void became_quiet();
  Result<> wait(std::string drive, std::function<void()> then);
  bool all_quiet() const;
  void look_who_waits();
  void tell(const BlockBackend& drive, bool open) const;

  struct Move {
    std::string drive;
    bool open;
  };
  struct Waiting {
    std::string drive;  ///< empty: for all, while the machine stands
    std::function<void()> then;
  };
  struct Left {
    std::string drive;
    RequestQueue::Rest rest;
  };

  Machine* machine_;
  Ending* ending_;
  std::vector<Waiting> waiting_;
  bool look_due_{false};
  std::vector<Left> left_;
  std::vector<Move> moves_;  ///< of guests, not yet told
  std::vector<TrayObserver> tray_observers_;
  bool snapshot_all_{false};
};

}  // namespace rhea::block
