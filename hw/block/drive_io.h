// SPDX-License-Identifier: GPL-2.0-or-later
// One disk request at a time, which its device may forget: buffers belong to the request, not to
// the device.
#pragma once

#include "rhea/block/block_backend.h"

#include <functional>
#include <memory>
#include <vector>

namespace rhea::hw {

/// A member of the device. After cancel(), and after its own end, nothing is called back.
class DriveIo {
 public:
  /// How it went, and the data (of reads what was read, of writes the buffer handed in).
  using Done = std::function<void(bool ok, std::vector<u8> data)>;

  DriveIo() = default;
  ~DriveIo() { cancel(); }
  DriveIo(const DriveIo&) = delete;
  DriveIo& operator=(const DriveIo&) = delete;

  // Starting a request cancels the one before.
  void read(BlockBackend& drive, u64 offset, u32 bytes, Done done);
  void write(BlockBackend& drive, u64 offset, std::vector<u8> data, Done done);
  void flush(BlockBackend& drive, Done done);
  /// The disk still does what was asked, and nobody hears of it.
  void cancel();
  bool busy() const { return request_ != nullptr; }

 private:
  struct Request {
    DriveIo* owner;
    std::vector<u8> data;
    Done done;
  };
  std::shared_ptr<Request> start(std::vector<u8> data, Done done);
  static BlockBackend::Completion completion(const std::shared_ptr<Request>& request);

  std::shared_ptr<Request> request_;
};

}  // namespace rhea::hw
