// SPDX-License-Identifier: GPL-2.0-or-later
// Commands that take long.
#include "monitor/long_work.h"

#include <utility>

namespace rhea::monitor {

LongWork::~LongWork() { shutdown(); }

void LongWork::shutdown() {
  for (std::jthread& thread : threads_) thread.request_stop();
  LockDomain& lock = machine_->lock();
  const bool held = lock.held_by_me();
  if (held) lock.unlock();
  threads_.clear();
  if (held) lock.lock();
}

Result<std::shared_ptr<qmp::Later>> LongWork::start(Work work) {
  if (threads_.size() == kMost) return fail("{} commands are still at work", kMost);
  auto later = std::make_shared<qmp::Later>();
  const auto place = threads_.emplace(threads_.end());
  *place = std::jthread([this, place, later, work = std::move(work)](const std::stop_token& stop) {
    Result<qmp::Json> result = work(stop);
    if (stop.stop_requested()) return;
    machine_->loop().defer([this, place, later, result = std::move(result)] {
      threads_.erase(place);
      later->finish(result);
    });
  });
  return later;
}

}  // namespace rhea::monitor
