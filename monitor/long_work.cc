// SPDX-License-Identifier: GPL-2.0-or-later
// Commands that take long.
#include "monitor/long_work.h"

#include <system_error>
#include <utility>

namespace rhea::monitor {

LongWork::~LongWork() { shutdown(); }

// What the host keeps is left to itself.
void LongWork::shutdown() {
  for (Piece& piece : pieces_) piece.thread.request_stop();
  LockDomain& lock = machine_->lock();
  const bool held = lock.held_by_me();
  if (held) lock.unlock();
  for (Piece& piece : pieces_)
    if (piece.ended.wait_until(ending_->patience()) != std::future_status::ready)
      piece.thread.detach();
  pieces_.clear();
  if (held) lock.lock();
}

Result<std::shared_ptr<qmp::Later>> LongWork::start(Work work) {
  if (pieces_.size() == kMost) return fail("{} commands are still at work", kMost);
  auto later = std::make_shared<qmp::Later>();
  auto ended = std::make_shared<std::promise<void>>();
  const auto place = pieces_.insert(pieces_.end(), {.thread = {}, .ended = ended->get_future()});
  auto run = [this, place, later, ended,
              work = std::move(work)](const std::stop_token& stop) mutable {
    Result<qmp::Json> result = work(stop);
    work = nullptr;
    if (!stop.stop_requested())
      machine_->loop().defer([this, place, later, result = std::move(result)] {
        pieces_.erase(place);
        later->finish(result);
      });
    ended->set_value();
  };
  try {
    place->thread = std::jthread(std::move(run));
  } catch (const std::system_error&) {
    pieces_.erase(place);
    return fail("the host gives no more threads");
  }
  return later;
}

}  // namespace rhea::monitor
