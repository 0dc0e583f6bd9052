// SPDX-License-Identifier: GPL-2.0-or-later
// Read-copy-update for the few structures that hot paths read without locks (flat views).
//
// A reader holds an RcuGuard while it uses a published pointer; a writer swaps the pointer and
// hands the old object to rcu_retire, which frees it once every reader that might see it is gone.
// Guards nest. Reading costs one store and one load; retiring may wait for readers only in
// rcu_synchronize.
#pragma once

#include <functional>

namespace rhea {

class RcuGuard {
 public:
  RcuGuard();
  ~RcuGuard();
  RcuGuard(const RcuGuard&) = delete;
  RcuGuard& operator=(const RcuGuard&) = delete;
};

/// Asserts that this thread is in no guard. Whatever waits for another thread for more than a
/// moment says so first: that one, or one that it waits for, may be waiting for guards.
void assert_outside_rcu();

/// Frees later, when all readers that run now have left their guards. Callable from any thread,
/// also inside a guard.
void rcu_retire(std::function<void()> free);
/// Waits until every reader that runs now has left, then runs all retired frees. Not inside a
/// guard.
void rcu_synchronize();

}  // namespace rhea
