// SPDX-License-Identifier: GPL-2.0-or-later
// The requests of one drive: a thread that does them in their order, completions back to the main
// loop.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/event_loop.h"

#include <functional>
#include <memory>

namespace rhea::block {

/// Each drive has a queue and a thread of its own, so that a slow disk holds up nobody else.
/// Everything here is called under the machine's lock; completions run on the main loop under it.
class RequestQueue {
 public:
  using Work = std::function<Result<>()>;  ///< on the thread; blocking
  using Completion = std::function<void(Result<>)>;
  using Ticket = u64;
  /// What may become of a request that nobody waits for any more.
  enum class Kind : u8 {
    Read,   ///< it need not be done
    Write,  ///< it must: what was handed over is on its way to the disk
  };

  explicit RequestQueue(EventLoop& loop);
  /// Completes nothing. Writes are done first. A read that the disk is at is left to itself when it
  /// takes long: `work` and `done` own all that it touches.
  ~RequestQueue();
  RequestQueue(const RequestQueue&) = delete;
  RequestQueue& operator=(const RequestQueue&) = delete;

  Ticket add(Kind kind, Work work, Completion done);
  /// Takes a request back, completion and all; false when the disk is at it (or it was completed).
  bool withdraw(Ticket ticket);
  /// Waits for all requests, and those that their completions start.
  void drain();
  unsigned in_flight() const;

 private:
  struct State;
  static void serve(const std::shared_ptr<State>& state);
  static void deliver(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace rhea::block
