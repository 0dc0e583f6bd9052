// SPDX-License-Identifier: GPL-2.0-or-later
// Commands that take long.
#include "monitor/long_work.h"

#include "util/mount_point.h"

#include <algorithm>
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

// The one that has been at it the longest comes first in the list.
Result<> LongWork::check_room(const std::string& file_system) const {
  const auto there = [&](const Piece& piece) { return piece.file_system == file_system; };
  const auto of_one = std::ranges::count_if(pieces_, there);
  if (static_cast<std::size_t>(of_one) < kMostOfOne) {
    if (pieces_.size() < kMost) return {};
    return fail("{} commands are still at work, the first of them with '{}'", kMost,
                pieces_.front().file);
  }
  if (file_system.empty()) return fail("{} commands are still at work", kMostOfOne);
  return fail("{} commands are still at work on the file system '{}', the first of them with '{}'",
              kMostOfOne, file_system, std::ranges::find_if(pieces_, there)->file);
}

Result<std::shared_ptr<qmp::Later>> LongWork::start(const std::string& file, Work work) {
  std::string file_system = file.empty() ? "" : mount_point_of(file);
  TRY(check_room(file_system));
  auto later = std::make_shared<qmp::Later>();
  auto ended = std::make_shared<std::promise<void>>();
  const auto place = pieces_.insert(pieces_.end(), {.file = file,
                                                    .file_system = std::move(file_system),
                                                    .thread = {},
                                                    .ended = ended->get_future()});
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
