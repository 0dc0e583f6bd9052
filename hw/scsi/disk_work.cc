// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/scsi/disk_work.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace rhea::hw {
namespace {

using Kind = DiskWork::Kind;

bool writes(Kind kind) {
  return kind == Kind::Write || kind == Kind::Fill || kind == Kind::Zeroes || kind == Kind::Discard;
}

void repeat(std::span<const u8> pattern, std::span<u8> data) {
  for (std::size_t at = 0; at < data.size(); at += pattern.size())
    std::ranges::copy(pattern.first(std::min(pattern.size(), data.size() - at)),
                      data.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

void DiskTransfers::init(Machine& machine, ScsiHost& host, BlockBackend& drive, Failed failed) {
  host_ = &host;
  drive_ = &drive;
  failed_ = std::move(failed);
  later_.init(machine.loop(), [this] {
    turn_bytes_ = kTurnBytes;
    hand_over();
  });
}

void DiskTransfers::end() {
  for (const auto* jobs : {&jobs_, &forgotten_})
    for (const Shared& job : *jobs) job->owner = nullptr;
  later_.cancel();
  jobs_.clear();
  waiting_.clear();
  stopped_.clear();
  forgotten_.clear();
  bytes_ = 0;
}

bool DiskTransfers::has_data(const Job& job) {
  const Kind kind = job.work.kind;
  return !job.flushing && kind != Kind::Flush && kind != Kind::Discard && kind != Kind::Zeroes;
}

void DiskTransfers::add(const SharedScsiTask& task, DiskWork work) {
  const u64 fetched = work.fetched;
  auto job = std::make_shared<Job>(
      Job{.task = task, .work = std::move(work), .moved = fetched, .owner = this});
  jobs_.push_back(job);
  waiting_.push_back(std::move(job));
  hand_over();
}

void DiskTransfers::drop(const ScsiTask& task) {
  const auto found = std::ranges::find(
      jobs_, &task, [](const Shared& job) { return std::as_const(job->task).get(); });
  if (found == jobs_.end()) return;
  const Shared job = *found;
  jobs_.erase(found);
  std::erase(waiting_, job);
  std::erase(stopped_, job);
  job->task = nullptr;
  if (!job->with_drive) return;
  job->forgotten = true;
  forgotten_.push_back(job);
  hand_over();
}

void DiskTransfers::withdraw_forgotten() {
  std::erase_if(forgotten_, [this](const Shared& job) {
    if (writes(job->work.kind) || !drive_->withdraw(job->ticket)) return false;
    free_memory(*job);
    job->owner = nullptr;
    return true;
  });
}

void DiskTransfers::hand_over() {
  withdraw_forgotten();
  while (!host_->held() && !waiting_.empty()) {
    // The next turn is the loop's to give, whoever asks.
    if (turn_bytes_ == 0) return later_.schedule();
    const Shared job = waiting_.front();
    if (!has_memory_for(*job)) return;
    waiting_.pop_front();
    start(job);
  }
}

void DiskTransfers::resumed() {
  waiting_.insert(waiting_.begin(), stopped_.begin(), stopped_.end());
  stopped_.clear();
  hand_over();
}

namespace {

u64 piece_of(const DiskWork& work, u64 done) {
  u64 most = DiskTransfers::kPiece;
  // Patterns begin anew with each piece.
  if (!work.pattern.empty()) most -= most % work.pattern.size();
  return std::min(work.length - done, most);
}

}  // namespace

bool DiskTransfers::has_memory_for(const Job& job) const {
  return !has_data(job) || bytes_ + piece_of(job.work, job.done) <= kMostBytes;
}

void DiskTransfers::start(const Shared& job) {
  const u64 bytes = has_data(*job) ? piece_of(job->work, job->done) : 0;
  job->data.resize(bytes);
  bytes_ += bytes;
  turn_bytes_ -= std::min(turn_bytes_, bytes);
  if (!fill(*job)) {
    free_memory(*job);
    return take(job)->fail();
  }
  job->with_drive = true;
  submit(job);
}

/// All of it: a vector that is merely made shorter keeps its memory.
void DiskTransfers::free_memory(Job& job) { bytes_ -= std::exchange(job.data, {}).size(); }

/// What is to be written.
bool DiskTransfers::fill(Job& job) {
  if (job.flushing) return true;
  if (job.work.kind == Kind::Fill) repeat(job.work.pattern, job.data);
  return job.work.kind != Kind::Write || job.data.empty() || job.task->fetch(job.done, job.data);
}

void DiskTransfers::submit(const Shared& job) {
  const auto completion = [shared = job](const Result<>& result) {
    if (shared->owner != nullptr)
      shared->owner->completed(shared, result.has_value(), shared->owner->drive_->error_action());
  };
  const DiskWork& work = job->work;
  const u64 at = work.offset + job->done;
  if (job->flushing || work.kind == Kind::Flush) {
    job->ticket = drive_->flush(completion);
    return;
  }
  switch (work.kind) {
    case Kind::Write:
    case Kind::Fill: job->ticket = drive_->write(at, job->data, completion); return;
    case Kind::Zeroes:
      job->ticket = drive_->write_zeroes(at, work.length, work.may_unmap, completion);
      return;
    case Kind::Discard: {
      const DiskWork::Range& range = work.ranges[job->range];
      job->ticket = drive_->discard(range.offset, range.length, completion);
      return;
    }
    default: job->ticket = drive_->read(at, job->data, completion); return;
  }
}

void DiskTransfers::completed(const Shared& job, bool ok, ErrorAction action) {
  job->with_drive = false;
  if (job->forgotten) {
    free_memory(*job);
    std::erase(forgotten_, job);
  } else if (!ok && action == ErrorAction::Stop) {
    free_memory(*job);
    stopped_.push_back(job);
  } else {
    go_on(job, ok || action == ErrorAction::Ignore);
  }
  hand_over();
}

void DiskTransfers::go_on(const Shared& job, bool ok) {
  const DiskWork& work = job->work;
  if (!ok) {
    free_memory(*job);
    const bool write = writes(work.kind) || work.kind == Kind::Flush || job->flushing;
    return take(job)->refuse(failed_(write));
  }
  const std::vector<u8> data = std::exchange(job->data, {});
  bytes_ -= data.size();
  if (work.kind == Kind::Read) {
    const std::vector<u8> shown = work.shown ? work.shown(data, job->done) : std::vector<u8>();
    const std::span<const u8> given = work.shown ? shown : data;
    if (!given.empty() && !job->task->give(job->moved, given)) return take(job)->fail();
    job->moved += given.size();
  }
  if (work.kind == Kind::Compare && !job->flushing) {
    std::vector<u8> other(data.size());
    if (!work.pattern.empty())
      repeat(work.pattern, other);
    else if (!other.empty() && !job->task->fetch(job->done, other))
      return take(job)->fail();
    if (other != data) return take(job)->refuse(sense::kMiscompare);
  }
  const bool of_initiator =
      work.kind == Kind::Write || (work.kind == Kind::Compare && work.pattern.empty());
  if (of_initiator) job->moved = std::max(job->moved, job->done + data.size());
  job->done += data.size();
  next_step(job);
}

void DiskTransfers::next_step(const Shared& job) {
  DiskWork& work = job->work;
  if (!job->flushing) {
    if (has_data(*job) && job->done < work.length) return again(job);
    if (work.kind == Kind::Discard && ++job->range < work.ranges.size()) return again(job);
    if (writes(work.kind) && (work.reaches_disk || work.afterwards)) {
      job->flushing = true;
      return again(job);
    }
  }
  if (work.afterwards) {
    work.kind = *std::exchange(work.afterwards, std::nullopt);
    job->flushing = false;
    job->done = 0;
    return again(job);
  }
  take(job)->succeed(job->moved);
}

void DiskTransfers::again(const Shared& job) { waiting_.push_front(job); }

SharedScsiTask DiskTransfers::take(const Shared& job) {
  std::erase(jobs_, job);
  return std::exchange(job->task, nullptr);
}

}  // namespace rhea::hw
