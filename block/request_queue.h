// SPDX-License-Identifier: GPL-2.0-or-later
// The requests of one drive: a thread that does them in their order, completions back to the main
// loop.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/event_loop.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace rhea::block {

/// Each drive has a queue and a thread of its own, so that a slow disk holds up nobody else.
/// Everything here is called under the machine's lock; completions run on the main loop under it.
class RequestQueue {
 public:
  using Work = std::function<Result<>()>;  ///< on the thread; blocking
  using Completion = std::function<void(Result<>)>;
  using Ticket = u64;
  using Time = std::chrono::steady_clock::time_point;
  /// What may become of a request that nobody waits for any more.
  enum class Kind : u8 {
    Read,   ///< it need not be done
    Write,  ///< it must: what was handed over is on its way to the disk
  };

  /// `became_quiet` is called on the main loop each time that quiet() has become true by what
  /// the disk did.
  RequestQueue(EventLoop& loop, std::function<void()> became_quiet);
  ~RequestQueue();
  RequestQueue(const RequestQueue&) = delete;
  RequestQueue& operator=(const RequestQueue&) = delete;

  Ticket add(Kind kind, Work work, Completion done);
  /// Takes a request back, completion and all; false when the disk is at it (or it was completed).
  bool withdraw(Ticket ticket);
  /// Waits for all requests, and those that their completions start: for whom the disk may keep
  /// the machine waiting. False when it had not done them by `until`.
  bool drain(std::optional<Time> until = {});
  /// Requests that come from now on wait until release() has been called as often.
  void hold();
  void release();
  /// Nothing is with the disk or on its way back. What waits while the queue is held does not
  /// count.
  bool quiet() const;
  unsigned in_flight() const;

  struct State;
  /// What the thread goes on with by itself after the end of its queue.
  class Rest {
   public:
    explicit Rest(std::shared_ptr<State> state) : state_(std::move(state)) {}
    /// Whether it had been done by `until`.
    bool wait(Time until) const;

   private:
    std::shared_ptr<State> state_;
  };
  /// The end, which completes nothing. Reads are dropped; one that the disk is at is left to
  /// itself, as `work` and `done` own all that it touches. Writes are done, if need be after this
  /// has returned: nullopt when that was so by `until`.
  std::optional<Rest> close(Time until);

 private:
  static void serve(const std::shared_ptr<State>& state);
  static void deliver(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace rhea::block
