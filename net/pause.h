// SPDX-License-Identifier: GPL-2.0-or-later
// A while until something is tried again, on a loop that has no clock of its own.
#pragma once

#include "rhea/util/event_loop.h"
#include "rhea/util/file_descriptor.h"

#include <chrono>
#include <functional>
#include <memory>

namespace rhea::net {

/// One call at a time. Its descriptor is there from the start: it is for when there are no more.
/// Where there was none even then, nothing is put off.
class Pause {
 public:
  Pause();

  /// `then` is called once, on `loop`, unless end() comes first.
  void begin(EventLoop& loop, std::chrono::milliseconds length, std::function<void()> then);
  void end();
  explicit operator bool() const { return call_ != nullptr; }

 private:
  FileDescriptor timer_;
  EventLoop::Watch watch_;
  std::shared_ptr<std::function<void()>> call_;
};

}  // namespace rhea::net
