// SPDX-License-Identifier: GPL-2.0-or-later
// Lock domains: the locks that device handlers run under. A machine has one that most devices
// share.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

namespace rhea {

/// A mutex that knows its holder, so that code which may run with or without it can ask
/// (a handler that DMAs into another device of the same domain must not lock twice).
/// Satisfies Lockable. Thread-safe by nature.
class LockDomain {
 public:
  LockDomain() = default;
  LockDomain(const LockDomain&) = delete;
  LockDomain& operator=(const LockDomain&) = delete;

  void lock() {
    mutex_.lock();
    owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  }
  bool try_lock() {
    if (!mutex_.try_lock()) return false;
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

 private:
  std::mutex mutex_;
  std::atomic<std::thread::id> owner_{};
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
