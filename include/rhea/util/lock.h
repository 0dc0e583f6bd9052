// SPDX-License-Identifier: GPL-2.0-or-later
// Lock domains: the locks that device handlers run under. A machine has one that most devices
// share.
#pragma once

#include "rhea/util/rcu.h"
#include "rhea/util/types.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace rhea {

/// A mutex that knows its holder, so that code which may run with or without it can ask
/// (a handler that DMAs into another device of the same domain must not lock twice).
/// Satisfies Lockable. Thread-safe by nature. Not to be waited for inside an RcuGuard (checked):
/// its holder may be waiting for guards.
///
/// Fair enough: who has waited for a millisecond comes before everybody who has not, so that no
/// thread that takes it over and over (a vCPU that polls a device) keeps another out (the main
/// loop). In between it is as cheap as any mutex, with no queue to hand it along.
class LockDomain {
 public:
  LockDomain() = default;
  LockDomain(const LockDomain&) = delete;
  LockDomain& operator=(const LockDomain&) = delete;

  void lock() {
    assert_outside_rcu();
    if (impatient_.load(std::memory_order_relaxed) != 0 || !mutex_.try_lock()) lock_slowly();
    owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  }
  bool try_lock() {
    if (impatient_.load(std::memory_order_relaxed) != 0 || !mutex_.try_lock()) return false;
    owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    return true;
  }
  void unlock() {
    owner_.store(std::thread::id{}, std::memory_order_relaxed);
    mutex_.unlock();
  }
  bool held_by_me() const {
    return owner_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }
  /// For the holder, between two slices of long work: lets those go first who have waited for long.
  /// True when it did: everything may have changed then.
  bool let_others() {
    if (impatient_.load(std::memory_order_relaxed) == 0) return false;
    unlock();
    lock();
    return true;
  }

 private:
  void lock_slowly();

  std::timed_mutex mutex_;
  std::atomic<std::thread::id> owner_{};
  std::atomic<unsigned> impatient_{0};  ///< threads that have waited for long
  std::mutex gate_mutex_;
  std::condition_variable gate_;  ///< where the others wait until there are none, and these in line
  u64 next_ticket_{0};            ///< under gate_mutex_, as is the next
  u64 serving_{0};                ///< whose turn it is among the impatient
};

/// Holds `domain` for a scope unless this thread holds it already (or it is null: no lock wanted).
class DomainGuard {
 public:
  explicit DomainGuard(LockDomain* domain)
      : domain_(domain != nullptr && !domain->held_by_me() ? domain : nullptr) {
    if (domain_ != nullptr) domain_->lock();
  }
  ~DomainGuard() {
    if (domain_ != nullptr) domain_->unlock();
  }
  DomainGuard(const DomainGuard&) = delete;
  DomainGuard& operator=(const DomainGuard&) = delete;

 private:
  LockDomain* domain_;
};

}  // namespace rhea
