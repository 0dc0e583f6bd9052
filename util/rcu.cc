// SPDX-License-Identifier: GPL-2.0-or-later
// Userspace read-copy-update: a slot per reading thread, and a queue of frees that wait for readers
// to leave.
#include "rhea/util/rcu.h"

#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace rhea {
namespace {

// A reader writes the epoch it began in to its slot; 0 means that it reads nothing. A writer raises
// the epoch after it has unpublished an object, and frees it once no slot holds a smaller one. The
// reader loads the epoch again after its store: either the writer's scan sees the slot, or, all
// four accesses being sequentially consistent, that load sees the raised epoch and with it
// everything unpublished before. No fences are used, since the thread sanitizer does not understand
// them.
constinit std::atomic<u64> g_epoch{1};

struct Slot {
  std::atomic<u64> epoch{0};
  std::atomic<bool> taken{true};
  Slot* next{};
};

// Slots are handed from ended threads to new ones and never freed, so scanning the list needs no
// lock and its length is the largest number of readers there ever were at once.
constinit std::atomic<Slot*> g_slots{nullptr};

Slot* take_slot() {
  for (Slot* slot = g_slots.load(); slot != nullptr; slot = slot->next)
    if (!slot->taken.exchange(true)) return slot;
  auto* slot = new Slot;
  slot->next = g_slots.load();
  while (!g_slots.compare_exchange_weak(slot->next, slot)) {
  }
  return slot;
}

constinit thread_local Slot* t_slot = nullptr;
constinit thread_local unsigned t_depth = 0;
constinit thread_local bool t_ending = false;

void release_slot() {
  t_slot->taken.store(false);
  t_slot = nullptr;
}

struct SlotRelease {
  ~SlotRelease() {
    t_ending = true;
    if (t_slot != nullptr && t_depth == 0) release_slot();
  }
};

void register_thread() {
  t_slot = take_slot();
  // A guard in a destructor that runs after this one takes its slot for just as long as it lives.
  if (!t_ending) static thread_local const SlotRelease release;
}

/// The epoch of the oldest reader, or of now.
u64 oldest_reader() {
  u64 oldest = g_epoch.load();
  for (const Slot* slot = g_slots.load(); slot != nullptr; slot = slot->next) {
    const u64 epoch = slot->epoch.load();
    if (epoch != 0) oldest = std::min(oldest, epoch);
  }
  return oldest;
}

struct Retired {
  u64 epoch;
  std::function<void()> free;
};

struct RetireQueue {
  std::mutex mutex;
  std::vector<Retired> entries;
};

RetireQueue& retire_queue() {
  // Lives as long as the process: threads may retire while static objects are being destroyed.
  static auto* const queue = new RetireQueue;
  return *queue;
}

/// With that many waiting, a thread that retires more waits for the readers first.
constexpr std::size_t kMaxWaiting = 256;

void free_unread() {
  std::vector<Retired> ready;
  {
    auto& queue = retire_queue();
    const std::lock_guard lock(queue.mutex);
    const u64 oldest = oldest_reader();
    const auto first = std::stable_partition(queue.entries.begin(), queue.entries.end(),
                                             [&](const Retired& r) { return r.epoch > oldest; });
    std::move(first, queue.entries.end(), std::back_inserter(ready));
    queue.entries.erase(first, queue.entries.end());
  }
  for (const auto& retired : ready) retired.free();
}

}  // namespace

RcuGuard::RcuGuard() {
  if (t_depth++ != 0) return;
  if (t_slot == nullptr) [[unlikely]]
    register_thread();
  t_slot->epoch.store(g_epoch.load());
  static_cast<void>(g_epoch.load());
}

RcuGuard::~RcuGuard() {
  if (--t_depth != 0) return;
  t_slot->epoch.store(0, std::memory_order_release);
  if (t_ending) [[unlikely]]
    release_slot();
}

void assert_outside_rcu() { RHEA_ASSERT(t_depth == 0); }

void rcu_retire(std::function<void()> free) {
  std::size_t waiting = 0;
  {
    auto& queue = retire_queue();
    const std::lock_guard lock(queue.mutex);
    queue.entries.push_back({g_epoch.fetch_add(1) + 1, std::move(free)});
    waiting = queue.entries.size();
  }
  if (waiting > kMaxWaiting && t_depth == 0)
    rcu_synchronize();
  else
    free_unread();
}

void rcu_synchronize() {
  RHEA_ASSERT(t_depth == 0);
  const u64 epoch = g_epoch.fetch_add(1) + 1;
  for (unsigned round = 0; oldest_reader() < epoch; ++round) {
    if (round < 64)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  free_unread();
}

}  // namespace rhea
