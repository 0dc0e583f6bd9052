// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/virtio/blk_requests.h"

#include <algorithm>
#include <utility>

namespace rhea::hw {
namespace {

using Op = BlkRequest::Op;

constexpr u64 kHeaderBytes = 16;

bool has_data(const BlkRequest& request) {
  return request.op == Op::Read || request.op == Op::Write;
}

u64 piece_of(const BlkRequest& request) {
  return std::min(request.length - request.done, BlkRequests::kPiece);
}

}  // namespace

void BlkRequest::describe(StateFields<BlkRequest>& s) {
  s.state("buffer", &BlkRequest::buffer);
  s.state("queue", &BlkRequest::queue);
  s.state("op", &BlkRequest::op);
  s.state("offset", &BlkRequest::offset);
  s.state("length", &BlkRequest::length);
  s.state("done", &BlkRequest::done);
  s.state("unmap", &BlkRequest::unmap);
  s.state("write-through", &BlkRequest::write_through);
}

void BlkRequests::init(Machine& machine, VirtioCore& core, BlockBackend& drive, Done done,
                       std::function<void()> room) {
  core_ = &core;
  drive_ = &drive;
  done_ = std::move(done);
  room_ = std::move(room);
  posted_.init(machine, [this] { hand_over(); });
  later_.init(machine.loop(), [this] {
    turn_bytes_ = kTurnBytes;
    hand_over();
  });
}

void BlkRequests::end() {
  const DomainGuard guard(owner_domain());
  for (const auto* jobs : {&jobs_, &forgotten_})
    for (const Shared& job : *jobs) job->owner = nullptr;
  later_.cancel();
  jobs_.clear();
  forgotten_.clear();
  waiting_.clear();
}

void BlkRequests::add(BlkRequest request) {
  auto job = std::make_shared<Job>(
      Job{.request = std::move(request), .stage = Stage::Waiting, .data = {}, .owner = this});
  jobs_.push_back(job);
  waiting_.push_back(std::move(job));
  posted_.post();
}

void BlkRequests::forget_all() {
  forget([](const Job&) { return true; });
  posted_.post();
  tell_room();
}

void BlkRequests::forget_queue(u16 number) {
  forget([number](const Job& job) { return job.request.queue == number; });
  posted_.post();
  tell_room();
}

void BlkRequests::forget(const std::function<bool(const Job&)>& which) {
  const auto wanted = [&](const Shared& job) { return which(*job); };
  std::erase_if(waiting_, wanted);
  for (const Shared& job : jobs_) {
    if (!which(*job) || job->stage != Stage::WithDrive) continue;
    job->forgotten = true;
    forgotten_.push_back(job);
  }
  std::erase_if(jobs_, wanted);
}

// ---- The drive's side, under the machine's lock

/// Whether that made room.
bool BlkRequests::withdraw_forgotten() {
  const auto withdrawn = [this](const Shared& job) {
    if (job->request.op == Op::Write || !drive_->withdraw(job->ticket)) return false;
    free_memory(*job);
    job->owner = nullptr;
    return true;
  };
  return std::erase_if(forgotten_, withdrawn) != 0;
}

void BlkRequests::hand_over() {
  const DomainGuard guard(owner_domain());
  if (withdraw_forgotten()) tell_room();
  if (core_->held()) return;
  while (!waiting_.empty()) {
    // The next turn is the loop's to give, whoever asks.
    if (turn_bytes_ == 0) return later_.schedule();
    const Shared job = waiting_.front();
    if (!start(job)) return;
    waiting_.pop_front();
  }
}

void BlkRequests::resumed() {
  for (const Shared& job : jobs_) {
    if (job->stage != Stage::Stopped) continue;
    job->stage = Stage::Waiting;
    waiting_.push_back(job);
  }
  posted_.post();
}

/// False when the drive has as much as it may have.
bool BlkRequests::start(const Shared& job) {
  const u64 bytes = has_data(job->request) && !job->flushing ? piece_of(job->request) : 0;
  if (bytes_ + bytes > kMostBytes) return false;
  take_memory(*job, bytes);
  turn_bytes_ -= std::min(turn_bytes_, bytes);
  if (!fill(*job)) {
    free_memory(*job);
    // What it leaves waiting goes with the others.
    job->stage = Stage::Stopped;
    finish(job, false);
    return true;
  }
  job->stage = Stage::WithDrive;
  submit(job);
  return true;
}

void BlkRequests::take_memory(Job& job, u64 bytes) {
  job.data.resize(bytes);
  bytes_ += bytes;
}

/// All of it: a vector that is merely made shorter keeps its memory.
void BlkRequests::free_memory(Job& job) { bytes_ -= std::exchange(job.data, {}).size(); }

/// What is to be written comes from the driver.
bool BlkRequests::fill(Job& job) {
  const BlkRequest& request = job.request;
  if (request.op != Op::Write || job.flushing) return true;
  return request.buffer.out.from_guest(core_->memory(), kHeaderBytes + request.done, job.data) ==
         MemResult::Ok;
}

void BlkRequests::submit(const Shared& job) {
  const auto completion = [shared = job](const Result<>& result) {
    if (shared->owner == nullptr) return;
    const DomainGuard guard(shared->owner->owner_domain());
    shared->owner->completed(shared, result.has_value(), shared->owner->drive_->error_action());
  };
  const BlkRequest& request = job->request;
  const u64 at = request.offset + request.done;
  if (job->flushing) {
    job->ticket = drive_->flush(completion);
    return;
  }
  switch (request.op) {
    case Op::Read: job->ticket = drive_->read(at, job->data, completion); return;
    case Op::Write: job->ticket = drive_->write(at, job->data, completion); return;
    case Op::Flush: job->ticket = drive_->flush(completion); return;
    case Op::Discard: job->ticket = drive_->discard(at, request.length, completion); return;
    case Op::WriteZeroes:
      job->ticket = drive_->write_zeroes(at, request.length, request.unmap, completion);
      return;
  }
}

void BlkRequests::completed(const Shared& job, bool ok, ErrorAction action) {
  if (job->forgotten) {
    free_memory(*job);
    std::erase(forgotten_, job);
    tell_room();
  } else if (!ok && action == ErrorAction::Stop) {
    free_memory(*job);
    job->stage = Stage::Stopped;
    job->flushing = false;
  } else {
    go_on(job, ok || action == ErrorAction::Ignore);
  }
  hand_over();
}

void BlkRequests::go_on(const Shared& job, bool ok) {
  BlkRequest& request = job->request;
  if (ok && request.op == Op::Read && !job->flushing)
    ok = request.buffer.in.to_guest(core_->memory(), request.done, job->data) == MemResult::Ok;
  const u64 moved = job->data.size();
  free_memory(*job);
  if (!ok) return finish(job, false);
  const bool writes = request.op == Op::Write || request.op == Op::WriteZeroes;
  request.done += moved;
  const bool more = has_data(request) && request.done < request.length;
  if (!more && (job->flushing || !writes || !request.write_through)) return finish(job, true);
  job->flushing = !more;
  job->stage = Stage::Waiting;
  waiting_.push_front(job);
}

void BlkRequests::finish(const Shared& job, bool ok) {
  std::erase(jobs_, job);
  done_(job->request, ok);
  tell_room();
}

void BlkRequests::tell_room() { room_(); }

Result<> BlkRequests::check_loaded() const {
  std::vector<u32> slots(core_->queues());
  for (const Shared& job : jobs_) {
    const BlkRequest& request = job->request;
    if (request.queue >= core_->queues() || request.buffer.slots == 0 ||
        (slots[request.queue] += request.buffer.slots) > core_->queue(request.queue).in_use())
      return fail("a request of queue {} that was not taken from it", request.queue);
    const u64 from = request.op == Op::Write ? request.buffer.out_bytes : request.buffer.in_bytes;
    const u64 beside = request.op == Op::Write ? kHeaderBytes : 1;
    if (request.buffer.in_bytes == 0 || request.done > request.length ||
        request.offset + request.length < request.offset ||
        (has_data(request) && (from < beside || request.length > from - beside)))
      return fail("a request of {} bytes, which its buffer cannot be", request.length);
  }
  return {};
}

}  // namespace rhea::hw

namespace rhea {

void StateCodec<hw::BlkRequests>::save(const hw::BlkRequests& requests, StateWriter& out) {
  out.number(requests.jobs_.size(), 4);
  for (const auto& job : requests.jobs_) StateCodec<hw::BlkRequest>::save(job->request, out);
}

Result<> StateCodec<hw::BlkRequests>::load(hw::BlkRequests& requests, StateReader& in,
                                           const StateField& field) {
  const u64 count = TRY(in.number(4));
  if (count > hw::BlkRequests::kMost)
    return fail("state field '{}' has too many requests: {}", field.name, count);
  // Of queues whose own state is loaded nobody asks for more.
  requests.forget([](const auto&) { return true; });
  requests.withdraw_forgotten();
  for (u64 n = 0; n < count; ++n) {
    auto job = std::make_shared<hw::BlkRequests::Job>();
    TRY(StateCodec<hw::BlkRequest>::load(job->request, in, field));
    job->owner = &requests;
    requests.jobs_.push_back(std::move(job));
  }
  return {};
}

}  // namespace rhea
