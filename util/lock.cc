// SPDX-License-Identifier: GPL-2.0-or-later
// How a lock domain is waited for.
#include "rhea/util/lock.h"

#include "rhea/util/error.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rhea {
namespace {

// Longer than nearly everything that is done under a lock, so that the way round by the gate, with
// its sleep and its waking, is the exception.
constexpr std::chrono::milliseconds kPatience{1};

}  // namespace

void LockDomain::waits_in_wrong_order() {
  assertion_failed("a thread in a device's lock domain waits for another", __FILE__, __LINE__);
}

bool PostScope::add(std::shared_ptr<PostedCall> call) {
  if (current_ == nullptr) return false;
  auto& calls = current_->calls_;
  if (std::ranges::find(calls, call) == calls.end()) calls.push_back(std::move(call));
  return true;
}

void PostScope::finish() {
  current_ = nullptr;
  for (const auto& call : calls_) call->run();
}

void LockDomain::lock_slowly() {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  const auto none = [this] { return impatient_.load(std::memory_order_relaxed) == 0; };
  while (std::chrono::steady_clock::now() < deadline) {
    if (none()) {
      if (mutex_.try_lock_until(deadline)) return;
    } else {
      std::unique_lock gate(gate_mutex_);
      gate_.wait_until(gate, deadline, none);
    }
  }
  // One after the other, in the order in which their patience ended: only the first takes part in
  // the run for the lock, and nobody else runs against it.
  std::unique_lock gate(gate_mutex_);
  impatient_.fetch_add(1, std::memory_order_relaxed);
  const u64 ticket = next_ticket_++;
  gate_.wait(gate, [&] { return serving_ == ticket; });
  gate.unlock();
  mutex_.lock();
  gate.lock();
  ++serving_;
  impatient_.fetch_sub(1, std::memory_order_relaxed);
  gate_.notify_all();
}

}  // namespace rhea
