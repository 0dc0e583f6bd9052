// SPDX-License-Identifier: GPL-2.0-or-later
// A thread for a device's work on the host's side: packets, requests.
#pragma once

#include "rhea/util/event_loop.h"
#include "rhea/util/lock.h"

#include <string>
#include <thread>

namespace rhea {

/// A thread that does nothing but run a loop of its own, with `domain` held while it calls, if
/// there is one. It has no signals. Made and ended on the main thread, without the domain: the end
/// waits for a call that is under way.
class IoThread {
 public:
  /// `name` is what the host shows of it: 15 characters.
  IoThread(const std::string& name, LockDomain* domain);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  EventLoop& loop() { return loop_; }
  /// As the host numbers threads.
  int id() const { return id_; }

 private:
  EventLoop loop_;
  int id_{};
  std::thread thread_;
};

}  // namespace rhea
