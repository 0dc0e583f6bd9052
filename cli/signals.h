// SPDX-License-Identifier: GPL-2.0-or-later
// SIGINT, SIGTERM and SIGHUP: at once while the program starts, later in order through the main
// loop.
#pragma once

#include "rhea/softmmu/machine.h"
#include "rhea/util/file_descriptor.h"

#include <thread>

namespace rhea::cli {

/// Blocks the signals for the whole process and takes them from a signalfd while it lives. Made
/// before any other thread. At first a thread of its own waits for them and ends the program by
/// std::quick_exit (the start-up may be waiting for a file or a peer for ever), so that whoever
/// has changed something outside the process registers with std::at_quick_exit.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  /// The start-up is over: from now on signals ask the machine to shut down.
  void hand_over(Machine& machine);

 private:
  void wait_during_start();
  void end_wait();

  FileDescriptor fd_;
  FileDescriptor started_;  ///< an eventfd that ends the thread
  std::thread waiter_;
  EventLoop::Watch watch_;
};

}  // namespace rhea::cli
