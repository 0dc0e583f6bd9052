// SPDX-License-Identifier: GPL-2.0-or-later
// Lock domains: the locks that device handlers run under. A machine has one that most devices
// share; a device may have its own. docs/threads.md says who may wait for whom.
#pragma once

#include "rhea/util/rcu.h"
#include "rhea/util/types.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

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
  /// Who holds a device's domain waits for no other, but that the holder of the machine's lock may
  /// have any. Checked, an assertion.
  enum class Kind : u8 { Machine, Device };

  explicit LockDomain(Kind kind = Kind::Machine) : kind_(kind) {}
  LockDomain(const LockDomain&) = delete;
  LockDomain& operator=(const LockDomain&) = delete;

  void lock() {
    if (kind_ == Kind::Machine ? inner_ != nullptr : inner_ != nullptr && machines_ == 0)
      waits_in_wrong_order();
    assert_outside_rcu();
    if (impatient_.load(std::memory_order_relaxed) != 0 || !mutex_.try_lock()) lock_slowly();
    acquired();
  }
  bool try_lock() {
    if (impatient_.load(std::memory_order_relaxed) != 0 || !mutex_.try_lock()) return false;
    acquired();
    return true;
  }
  void unlock() {
    if (kind_ == Kind::Machine)
      --machines_;
    else
      inner_ = outer_;
    owner_.store(std::thread::id{}, std::memory_order_relaxed);
    mutex_.unlock();
  }
  bool held_by_me() const {
    return owner_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }
  /// The device's domain that this thread took last of those it holds, if any.
  static const LockDomain* held_of_device() { return inner_; }
  /// Whether this thread is in a device's domain without the machine's lock, for which it must not
  /// wait then.
  static bool in_device_alone() { return inner_ != nullptr && machines_ == 0; }
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
  [[noreturn]] static void waits_in_wrong_order();
  void acquired() {
    owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    if (kind_ == Kind::Machine)
      ++machines_;
    else
      outer_ = std::exchange(inner_, this);
  }

  static constinit inline thread_local unsigned machines_ = 0;
  static constinit inline thread_local const LockDomain* inner_ = nullptr;
  const LockDomain* outer_{};  ///< the holder's
  const Kind kind_;

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

/// What a thread that holds a device's domain leaves to the holder of the machine's lock.
class PostedCall {
 public:
  virtual ~PostedCall() = default;
  /// Takes the machine's lock.
  virtual void run() = 0;
};

/// A scope on a thread that may wait for the machine's lock when it has left the domains of
/// devices: at its end what was posted in it is done. Of scopes in each other the outermost counts.
class PostScope {
 public:
  PostScope() = default;
  ~PostScope() {
    if (engaged_) finish();
  }
  PostScope(const PostScope&) = delete;
  PostScope& operator=(const PostScope&) = delete;

  /// From here on it collects (unless one around it does).
  void engage() {
    if (current_ != nullptr) return;
    current_ = this;
    engaged_ = true;
  }
  /// False when this thread is in none: then `call` is for others to make.
  static bool add(std::shared_ptr<PostedCall> call);

 private:
  void finish();

  static constinit inline thread_local PostScope* current_ = nullptr;
  bool engaged_{false};
  std::vector<std::shared_ptr<PostedCall>> calls_;
};

}  // namespace rhea
