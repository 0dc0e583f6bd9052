// SPDX-License-Identifier: GPL-2.0-or-later
// What the drives of a machine have in common.
#include "block/block_service.h"

#include "rhea/block/block_backend.h"
#include "rhea/softmmu/snapshot.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace rhea::block {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatienceWhenSaving = std::chrono::milliseconds(500);

Result<> all_settle(Machine& machine) {
  const auto until = Clock::now() + kPatienceWhenSaving;
  for (BlockBackend* drive : drives(machine))
    if (!drive->drain(until))
      return fail("Drive '{}': '{}' does not finish a request", drive->shown_name(),
                  drive->filename());
  return {};
}

void tell_of_loss(const std::string& drive) {
  report_warning(fmt::format(
      "drive '{}': its disk does not answer; what was written last may be lost", drive));
}

}  // namespace

BlockService::BlockService(Machine& machine)
    : machine_(&machine), ending_(&machine.service<Ending>()) {
  machine.on_run_state([this](RunState state) {
    if (state != RunState::Running) return;
    became_quiet();
    for (BlockBackend* drive : drives(*machine_)) drive->machine_runs();
  });
  machine.service<SaveChecks>().add([&machine] { return all_settle(machine); });
}

void BlockService::objects_gone() {
  for (const Left& left : left_)
    if (!left.rest.wait(ending_->patience())) tell_of_loss(left.drive);
}

void BlockService::close(RequestQueue& queue, const std::string& drive) {
  std::erase_if(left_, [](const Left& left) { return left.rest.wait({}); });
  became_quiet();  // who waits for this drive waits in vain
  auto rest = queue.close(ending_->patience());
  if (!rest) return;
  if (ending_->begun())
    tell_of_loss(drive);
  else
    left_.push_back({.drive = drive, .rest = std::move(*rest)});
}

bool BlockService::all_quiet() const {
  return machine_->running() || std::ranges::all_of(drives(*machine_), &BlockBackend::quiet);
}

Result<> BlockService::wait(std::string drive, std::function<void()> then) {
  if (waiting_.size() == kMostWaiting)
    return fail("{} commands wait for disks that do not answer", kMostWaiting);
  waiting_.push_back({.drive = std::move(drive), .then = std::move(then)});
  return {};
}

Result<> BlockService::when_stopped(std::function<void()> then) {
  if (!all_quiet()) return wait({}, std::move(then));
  then();
  return {};
}

Result<> BlockService::when_quiet(BlockBackend& drive, std::function<void()> then) {
  if (!drive.quiet()) {
    TRY(wait(drive.name(), std::move(then)));
    drive.hold();
    return {};
  }
  then();
  return {};
}

// Looked at from the main loop, not from within whatever was done to the drive.
void BlockService::became_quiet() {
  if (waiting_.empty() || std::exchange(look_due_, true)) return;
  machine_->loop().defer([this] { look_who_waits(); });
}

void BlockService::look_who_waits() {
  look_due_ = false;
  const auto may_go = [this](const Waiting& who) {
    if (who.drive.empty()) return all_quiet();
    const BlockBackend* drive = find_drive(*machine_, who.drive);
    return drive == nullptr || drive->quiet();
  };
  for (auto who = waiting_.begin(); who != waiting_.end();) {
    if (!may_go(*who)) {
      ++who;
      continue;
    }
    const Waiting now = std::move(*who);
    waiting_.erase(who);
    now.then();
    if (BlockBackend* drive = now.drive.empty() ? nullptr : find_drive(*machine_, now.drive))
      drive->release();
    who = waiting_.begin();  // everything may have changed
  }
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
