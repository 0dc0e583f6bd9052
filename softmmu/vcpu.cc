// SPDX-License-Identifier: GPL-2.0-or-later
// The vCPU threads.
#include "rhea/softmmu/vcpu.h"

#include "rhea/softmmu/machine.h"

#include <pthread.h>
#include <unistd.h>

#include <condition_variable>

namespace rhea {
namespace {

thread_local Vcpu* current_vcpu = nullptr;

}  // namespace

Vcpu::Vcpu(Machine& machine, unsigned index, VcpuRunner& runner)
    : machine_(&machine), index_(index), runner_(&runner) {
  thread_ = std::thread([this] { thread_main(); });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return started_; });
}

Vcpu::~Vcpu() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  runner_->kick();
  changed_.notify_all();
  thread_.join();
}

Vcpu* Vcpu::current() { return current_vcpu; }

void Vcpu::thread_main() {
  current_vcpu = this;
  pthread_setname_np(pthread_self(), fmt::format("CPU {}", index_).c_str());
  runner_->thread_started();
  std::unique_lock lock(mutex_);
  thread_id_ = gettid();
  started_ = true;
  changed_.notify_all();
  while (!quit_) {
    if (take_work(lock)) continue;
    if (stop_requested_) {
      stopped_ = true;
      changed_.notify_all();
      changed_.wait(lock, [this] { return quit_ || !stop_requested_ || !work_.empty(); });
      continue;
    }
    stopped_ = false;
    lock.unlock();
    runner_->run();
    lock.lock();
  }
  stopped_ = true;
  changed_.notify_all();
  lock.unlock();
  runner_->thread_ending();
}

// Runs what is queued, without the lock. True when there was something.
bool Vcpu::take_work(std::unique_lock<std::mutex>& lock) {
  if (work_.empty()) return false;
  std::vector<std::function<void()>> work;
  work.swap(work_);
  lock.unlock();
  for (auto& item : work) item();
  lock.lock();
  return true;
}

void Vcpu::resume() {
  const std::lock_guard lock(mutex_);
  // Only the thread itself says that it is no longer stopped: asked to stop again before it wakes,
  // it still is.
  stop_requested_ = false;
  changed_.notify_all();
}

void Vcpu::request_stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_requested_ = true;
  }
  runner_->kick();
}

void Vcpu::wait_stopped() {
  assert_outside_rcu();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopped_; });
}

bool Vcpu::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

void Vcpu::queue(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
  }
  changed_.notify_all();
  runner_->kick();
}

void Vcpu::run_on(const std::function<void()>& work) {
  if (is_current()) return work();
  assert_outside_rcu();
  std::mutex done_mutex;
  std::condition_variable done_changed;
  bool done = false;
  queue([&] {
    work();
    const std::lock_guard lock(done_mutex);
    done = true;
    done_changed.notify_one();
  });
  const bool held = machine_->lock().held_by_me();
  if (held) machine_->lock().unlock();
  {
    std::unique_lock lock(done_mutex);
    done_changed.wait(lock, [&] { return done; });
  }
  if (held) machine_->lock().lock();
}

}  // namespace rhea
