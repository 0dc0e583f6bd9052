// SPDX-License-Identifier: GPL-2.0-or-later
// The main loop, on a GLib context of its own (so two machines in one process do not share one).
// Everything runs on the thread that calls run() or iterate(); add, remove, defer and quit may be
// called from any thread. Callbacks run with the lock domain given at construction held (if any);
// the loop lets go of it while it waits.
#pragma once

#include "rhea/util/lock.h"
#include "rhea/util/types.h"

#include <functional>
#include <memory>

namespace rhea {

enum class FdEvents : unsigned { Read = 1, Write = 2, Hangup = 4 };
constexpr FdEvents operator|(FdEvents a, FdEvents b) {
  return static_cast<FdEvents>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool has(FdEvents set, FdEvents one) {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(one)) != 0;
}

class EventLoop {
 public:
  /// Removes its watch when it dies. Movable.
  class Watch {
   public:
    Watch();
    Watch(Watch&&) noexcept;
    Watch& operator=(Watch&&) noexcept;
    ~Watch();
    void remove();
    explicit operator bool() const { return impl_ != nullptr; }

   private:
    friend class EventLoop;
    struct Impl;
    std::unique_ptr<Impl> impl_;
  };

  explicit EventLoop(LockDomain* domain = nullptr);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Calls `callback(ready events)` each time `fd` is ready, until the watch is removed.
  [[nodiscard]] Watch watch_fd(int fd, FdEvents events, std::function<void(FdEvents)> callback);
  /// Runs `work` once on the loop's thread, soon. (QEMU's bottom half.)
  void defer(std::function<void()> work);
  /// Installs the one deadline source: `next_deadline` (ns from now, negative for none) is asked
  /// before each wait and `expired` called when it has passed.
  void set_deadline_source(std::function<i64()> next_deadline, std::function<void()> expired);
  /// Makes a waiting loop look at its deadlines again.
  void wake();

  /// Runs until quit().
  void run();
  /// One turn; waits for something to happen if `may_block`. True when something was dispatched.
  bool iterate(bool may_block);
  void quit();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rhea
