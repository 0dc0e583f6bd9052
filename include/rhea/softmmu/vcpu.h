// SPDX-License-Identifier: GPL-2.0-or-later
// A virtual processor's host thread: running, pausing, kicking, parking.
#pragma once

#include "rhea/util/types.h"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace rhea {

class Machine;

/// What an accelerator does for one vCPU. run() and the thread hooks are called on the vCPU's
/// thread.
class VcpuRunner {
 public:
  virtual ~VcpuRunner() = default;
  virtual void thread_started() {}
  /// Runs the guest until something outside it needs this thread. No lock is held on entry or exit.
  virtual void run() = 0;
  /// From any thread: the current or next run() returns soon. Must not get lost, whatever the
  /// thread is doing.
  virtual void kick() = 0;
  virtual void thread_ending() {}
};

/// Owns the thread. Requests come from the main thread; they are thread-safe.
class Vcpu {
 public:
  Vcpu(Machine& machine, unsigned index, VcpuRunner& runner);
  /// Ends the thread.
  ~Vcpu();
  Vcpu(const Vcpu&) = delete;
  Vcpu& operator=(const Vcpu&) = delete;

  unsigned index() const { return index_; }
  VcpuRunner& runner() const { return *runner_; }
  /// Linux thread id, for QMP's query-cpus-fast.
  int thread_id() const { return thread_id_; }

  /// Lets the thread enter the guest (again).
  void resume();
  /// Asks it out of the guest; wait_stopped() waits until it is. The caller of wait_stopped must
  /// not hold a lock the vCPU may want: Machine::pause drops its own.
  void request_stop();
  void wait_stopped();
  bool stopped() const;
  /// The vCPU whose thread this is; nullptr on other threads.
  static Vcpu* current();
  bool is_current() const { return std::this_thread::get_id() == thread_.get_id(); }

  /// Runs `work` on the vCPU's thread, out of the guest, and waits for it. On the thread itself: at
  /// once. The machine's lock, when held, is released while waiting.
  void run_on(const std::function<void()>& work);
  /// The same without waiting.
  void queue(std::function<void()> work);
  void kick() { runner_->kick(); }

 private:
  void thread_main();
  bool take_work(std::unique_lock<std::mutex>& lock);

  Machine* machine_;
  unsigned index_;
  VcpuRunner* runner_;
  int thread_id_{0};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool quit_{false};
  bool stop_requested_{true};
  bool stopped_{false};
  bool started_{false};
  std::vector<std::function<void()>> work_;
  std::thread thread_;
};

}  // namespace rhea
