// SPDX-License-Identifier: GPL-2.0-or-later
// SIGINT, SIGTERM and SIGHUP end the machine in order, through its main loop.
#pragma once

#include "rhea/softmmu/machine.h"
#include "rhea/util/file_descriptor.h"

namespace rhea::cli {

/// Blocks the signals for the whole process and takes them from a signalfd while it lives.
/// Made before any other thread.
class SignalWatch {
 public:
  explicit SignalWatch(Machine& machine);

 private:
  FileDescriptor fd_;
  EventLoop::Watch watch_;
};

}  // namespace rhea::cli
