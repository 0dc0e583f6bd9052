// SPDX-License-Identifier: GPL-2.0-or-later
// The thread that does a machine's blocking disk work, in the order in which it was asked for.
#pragma once

#include "rhea/softmmu/machine.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace rhea::block {

class IoThread {
 public:
  IoThread();
  /// Finishes what was queued.
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  /// Runs `work` on the thread. From any thread.
  void post(std::function<void()> work);

 private:
  void main();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool quit_{false};
  std::deque<std::function<void()>> work_;
  std::thread thread_;
};

/// A machine's disk thread and what -snapshot said; drives keep the thread alive.
class BlockService final : public MachineService {
 public:
  explicit BlockService(Machine& machine);

  const std::shared_ptr<IoThread>& thread() const { return thread_; }
  bool snapshot_all() const { return snapshot_all_; }
  void set_snapshot_all() { snapshot_all_ = true; }

 private:
  std::shared_ptr<IoThread> thread_ = std::make_shared<IoThread>();
  bool snapshot_all_{false};
};

}  // namespace rhea::block
