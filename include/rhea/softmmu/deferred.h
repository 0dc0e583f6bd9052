// SPDX-License-Identifier: GPL-2.0-or-later
// A call on the main loop that ends with its owner.
#pragma once

#include "rhea/qom/member.h"
#include "rhea/util/event_loop.h"

#include <atomic>
#include <functional>
#include <memory>

namespace rhea {

/// Work put off to the main loop, where it runs once, soon, under the machine's lock: what must not
/// happen inside the handler that asks for it. A member of its owner: when that is destroyed, or
/// unrealized, no call comes any more.
class Deferred final : public ObjectMember {
 public:
  Deferred() = default;
  ~Deferred() override { cancel(); }

  /// From a device's realize(): `later_.init(machine().loop(), [this] { … })`.
  void init(EventLoop& loop, std::function<void()> work);
  bool initialised() const { return call_ != nullptr; }

  /// Asks for one call; does nothing while one is outstanding. From any thread, as long as the
  /// owner stands. The call may ask for the next one, and may destroy the owner.
  void schedule();
  /// No call comes any more until the next schedule(). Main thread or machine's lock.
  void cancel();
  bool scheduled() const;

 protected:
  void end() override { cancel(); }

 private:
  /// Outlives the owner while the loop knows of it.
  struct Call {
    std::function<void()> work;
    std::atomic<bool> wanted{false};
  };
  EventLoop* loop_{};
  std::shared_ptr<Call> call_;
};

}  // namespace rhea
