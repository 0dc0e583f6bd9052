// SPDX-License-Identifier: GPL-2.0-or-later
// Cancellable disk requests.
#include "hw/block/drive_io.h"

namespace rhea::hw {

std::shared_ptr<DriveIo::Request> DriveIo::start(std::vector<u8> data, Done done) {
  cancel();
  request_ = std::make_shared<Request>(
      Request{.owner = this, .data = std::move(data), .done = std::move(done)});
  return request_;
}

void DriveIo::cancel() {
  if (request_) request_->owner = nullptr;
  request_.reset();
}

BlockBackend::Completion DriveIo::completion(const std::shared_ptr<Request>& request) {
  return [request](const Result<>& result) {
    if (request->owner == nullptr) return;
    request->owner->request_.reset();
    request->done(result.has_value(), std::move(request->data));
  };
}

void DriveIo::read(BlockBackend& drive, u64 offset, u32 bytes, Done done) {
  const auto request = start(std::vector<u8>(bytes), std::move(done));
  drive.read(offset, request->data, completion(request));
}

void DriveIo::write(BlockBackend& drive, u64 offset, std::vector<u8> data, Done done) {
  const auto request = start(std::move(data), std::move(done));
  drive.write(offset, request->data, completion(request));
}

void DriveIo::flush(BlockBackend& drive, Done done) {
  drive.flush(completion(start({}, std::move(done))));
}

}  // namespace rhea::hw
