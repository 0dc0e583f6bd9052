// SPDX-License-Identifier: GPL-2.0-or-later
// Which devices' handlers and transfers this thread is inside of.
#pragma once

#include "rhea/qom/device.h"

namespace rhea {

/// Engages `owner` for a scope on this thread. An access that arrives at a region of an engaged
/// owner was caused by that owner's own transfer; another thread's accesses wait for the lock
/// domain instead, so the record is the thread's and needs no atomics.
class DispatchScope {
 public:
  /// Handlers that cause accesses that run handlers: deeper than any real chain of devices.
  static constexpr unsigned kMaxDepth = 16;

  explicit DispatchScope(const Device* owner)
      : owner_(owner), outer_(innermost_), depth_(outer_ == nullptr ? 1 : outer_->depth_ + 1) {
    innermost_ = this;
  }
  ~DispatchScope() { innermost_ = outer_; }
  DispatchScope(const DispatchScope&) = delete;
  DispatchScope& operator=(const DispatchScope&) = delete;

  /// Whether an access to a region of `owner` must be refused now.
  static bool refuses(const Device* owner) {
    if (innermost_ == nullptr) return false;
    if (innermost_->depth_ >= kMaxDepth) return true;
    if (owner == nullptr) return false;
    for (const DispatchScope* scope = innermost_; scope != nullptr; scope = scope->outer_)
      if (scope->owner_ == owner) return true;
    return false;
  }

  /// Whether the innermost device must not reach regions under `domain`: one with a lock of its own
  /// never waits for another's, nor for the machine's, nor for whatever one without a lock (null)
  /// waits for.
  static bool keeps_from(const LockDomain* domain) {
    if (innermost_ == nullptr || innermost_->owner_ == nullptr) return false;
    const LockDomain* own = innermost_->owner_->lock_domain();
    return own != nullptr && own != domain;
  }

 private:
  const Device* owner_;
  const DispatchScope* outer_;
  unsigned depth_;
  static constinit inline thread_local const DispatchScope* innermost_ = nullptr;
};

}  // namespace rhea
