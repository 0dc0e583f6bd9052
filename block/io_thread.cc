// SPDX-License-Identifier: GPL-2.0-or-later
// A work queue with one thread.
#include "block/io_thread.h"

#include "rhea/block/block_backend.h"

#include <pthread.h>

#include <csignal>

namespace rhea::block {

IoThread::IoThread() {
  // The process's signals are for other threads: the new one inherits a full mask.
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &old);
  thread_ = std::thread([this] { main(); });
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

IoThread::~IoThread() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void IoThread::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
  }
  changed_.notify_one();
}

void IoThread::main() {
  pthread_setname_np(pthread_self(), "block-io");
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return quit_ || !work_.empty(); });
    if (work_.empty()) return;
    const auto work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

// A stopped machine has no request under way: what is saved then is complete.
BlockService::BlockService(Machine& machine) {
  machine.on_run_state([&machine](RunState state) {
    if (state == RunState::Running) return;
    for (BlockBackend* drive : drives(machine)) drive->drain();
  });
}

}  // namespace rhea::block
