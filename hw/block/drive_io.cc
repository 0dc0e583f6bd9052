// SPDX-License-Identifier: GPL-2.0-or-later
// Cancellable disk requests.
#include "hw/block/drive_io.h"

#include <utility>

namespace rhea::hw {

void HeldRequest::describe(StateFields<HeldRequest>& s) {
  s.state("kind", &HeldRequest::kind);
  s.state("offset", &HeldRequest::offset);
  s.state("bytes", &HeldRequest::bytes).range(0, kMostBytes);
  s.state("data", &HeldRequest::data).range(0, kMostBytes);
}

// The drive may have gone before its device: it is not spoken to.
void DriveIo::end() {
  if (current_) current_->owner = nullptr;
  current_.reset();
  next_.reset();
  held_.reset();
}

void DriveIo::read(BlockBackend& drive, u64 offset, u32 bytes, Done done) {
  start({.kind = Kind::Read,
         .drive = &drive,
         .offset = offset,
         .bytes = bytes,
         .data = {},
         .done = std::move(done)});
}

void DriveIo::write(BlockBackend& drive, u64 offset, std::vector<u8> data, Done done) {
  start({.kind = Kind::Write,
         .drive = &drive,
         .offset = offset,
         .data = std::move(data),
         .done = std::move(done)});
}

void DriveIo::flush(BlockBackend& drive, Done done) {
  start({.kind = Kind::Flush, .drive = &drive, .data = {}, .done = std::move(done)});
}

void DriveIo::discard(BlockBackend& drive, u64 offset, u32 bytes, Done done) {
  start({.kind = Kind::Discard,
         .drive = &drive,
         .offset = offset,
         .bytes = bytes,
         .data = {},
         .done = std::move(done)});
}

void DriveIo::start(Request request) {
  cancel();
  request.owner = this;
  auto shared = std::make_shared<Request>(std::move(request));
  if (current_)
    next_ = std::move(shared);
  else
    submit(std::move(shared));
}

void DriveIo::submit(std::shared_ptr<Request> request) {
  current_ = std::move(request);
  Request& now = *current_;
  const auto completion = [shared = current_](const Result<>& result) {
    if (shared->owner == nullptr) return;
    const DomainGuard domain_guard(shared->owner->owner_domain());
    shared->owner->completed(result.has_value(), shared->drive->error_action());
  };
  switch (now.kind) {
    case Kind::None: return;
    case Kind::Read:
      now.data.resize(now.bytes);
      now.ticket = now.drive->read(now.offset, now.data, completion);
      return;
    case Kind::Write: now.ticket = now.drive->write(now.offset, now.data, completion); return;
    case Kind::Flush: now.ticket = now.drive->flush(completion); return;
    case Kind::Discard: now.ticket = now.drive->discard(now.offset, now.bytes, completion); return;
  }
}

void DriveIo::completed(bool ok, ErrorAction action) {
  auto request = std::exchange(current_, nullptr);
  if (!ok && !request->forgotten && action == ErrorAction::Stop) return hold(std::move(request));
  if (action == ErrorAction::Ignore) ok = true;
  if (next_) submit(std::exchange(next_, nullptr));
  if (!request->forgotten) request->done(ok, std::move(request->data));
}

void DriveIo::hold(std::shared_ptr<Request> request) {
  held_ = std::move(request);
  held_->drive->when_running([waiting = std::weak_ptr(held_)] {
    const auto still = waiting.lock();
    if (still && still->owner != nullptr && still->owner->held_ == still)
      still->owner->submit(std::exchange(still->owner->held_, nullptr));
  });
}

void DriveIo::hold(BlockBackend& drive, HeldRequest request, Done done) {
  cancel();
  hold(std::make_shared<Request>(Request{.kind = request.kind,
                                         .drive = &drive,
                                         .offset = request.offset,
                                         .bytes = request.bytes,
                                         .data = std::move(request.data),
                                         .done = std::move(done),
                                         .owner = this}));
}

HeldRequest DriveIo::held() const {
  if (!held_) return {};
  const bool write = held_->kind == Kind::Write;
  return {.kind = held_->kind,
          .offset = held_->offset,
          .bytes = held_->bytes,
          .data = write ? held_->data : std::vector<u8>()};
}

void DriveIo::cancel() {
  next_.reset();
  held_.reset();
  if (!current_ || current_->forgotten) return;
  if (current_->kind != Kind::Write && current_->drive->withdraw(current_->ticket))
    return current_.reset();
  current_->forgotten = true;
  current_->done = nullptr;
}

}  // namespace rhea::hw
