// SPDX-License-Identifier: GPL-2.0-or-later
// Read-copy-update: when retired objects are freed, and that nobody reads a freed one.
#include "rhea/util/rcu.h"

#include "rhea/util/lock.h"
#include "rhea/util/types.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace rhea {
namespace {

/// A thread that holds a guard until told to leave.
class Reader {
 public:
  Reader()
      : thread_([this] {
          const RcuGuard guard;
          inside_ = true;
          while (!leave_) std::this_thread::yield();
        }) {
    while (!inside_) std::this_thread::yield();
  }
  ~Reader() {
    leave_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> inside_{false}, leave_{false};
  std::thread thread_;
};

TEST(RcuTest, WithoutReadersRetiringFreesAtOnce) {
  bool freed = false;
  rcu_retire([&] { freed = true; });
  EXPECT_TRUE(freed);
}

TEST(RcuTest, OwnGuardKeepsTheRetiredAlive) {
  bool freed = false;
  {
    const RcuGuard guard;
    rcu_retire([&] { freed = true; });
    EXPECT_FALSE(freed);
  }
  rcu_synchronize();
  EXPECT_TRUE(freed);
}

TEST(RcuTest, NestedGuardEndsWithTheOuterOne) {
  bool freed = false;
  {
    const RcuGuard outer;
    {
      const RcuGuard inner;
    }
    rcu_retire([&] { freed = true; });
    EXPECT_FALSE(freed);
  }
  rcu_synchronize();
  EXPECT_TRUE(freed);
}

TEST(RcuTest, AnotherThreadsGuardKeepsTheRetiredAlive) {
  std::atomic<bool> freed = false;
  {
    const Reader reader;
    rcu_retire([&] { freed = true; });
    EXPECT_FALSE(freed);
  }
  rcu_retire([] {});
  EXPECT_TRUE(freed);
}

TEST(RcuTest, LaterReaderDoesNotHoldUpEarlierFrees) {
  std::atomic<bool> freed = false;
  std::optional<Reader> first(std::in_place);
  rcu_retire([&] { freed = true; });
  const Reader second;
  first.reset();
  rcu_retire([] {});
  EXPECT_TRUE(freed);
}

TEST(RcuTest, SynchronizeWaitsForTheReader) {
  std::atomic<bool> left = false;
  std::atomic<bool> inside = false;
  std::thread reader([&] {
    const RcuGuard guard;
    inside = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    left = true;
  });
  while (!inside) std::this_thread::yield();
  rcu_synchronize();
  EXPECT_TRUE(left);
  reader.join();
}

TEST(RcuTest, FreesMayRetireMore) {
  int freed = 0;
  rcu_retire([&] {
    ++freed;
    rcu_retire([&] { ++freed; });
  });
  rcu_synchronize();
  EXPECT_EQ(freed, 2);
}

TEST(RcuTest, RetiringWithoutEndWaitsForReaders) {
  std::atomic<int> waiting{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i)
    readers.emplace_back([&] {
      while (!stop) {
        const RcuGuard guard;
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
    });
  int most = 0;
  for (int i = 0; i < 3000; ++i) {
    most = std::max(most, ++waiting);
    rcu_retire([&] { --waiting; });
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  rcu_synchronize();
  EXPECT_EQ(waiting, 0);
  EXPECT_LT(most, 1000);
}

TEST(RcuTest, ManyShortThreadsMayRead) {
  for (int i = 0; i < 200; ++i) std::thread([] { const RcuGuard guard; }).join();
  bool freed = false;
  rcu_retire([&] { freed = true; });
  EXPECT_TRUE(freed);
}

struct Payload {
  explicit Payload(u64 value) : first(value), second(~value) {}
  ~Payload() { first = second = 0; }
  u64 first, second;
};

TEST(RcuTest, ReadersNeverSeeAFreedObject) {
  std::atomic<const Payload*> published{new Payload(0)};
  std::atomic<bool> stop{false};
  std::atomic<u64> broken{0}, reads{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!stop) {
        const RcuGuard guard;
        const Payload& payload = *published.load(std::memory_order_acquire);
        if (payload.first != ~payload.second) ++broken;
        reads.fetch_add(1, std::memory_order_relaxed);
      }
    });
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(400);
  for (u64 value = 1; std::chrono::steady_clock::now() < end; ++value) {
    const Payload* const old = published.exchange(new Payload(value), std::memory_order_acq_rel);
    rcu_retire([old] { delete old; });
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  const Payload* const last = published;
  rcu_retire([last] { delete last; });
  rcu_synchronize();
  EXPECT_EQ(broken, 0u);
  EXPECT_GT(reads, 0u);
}

// Whoever has the lock may be waiting for this thread's guard.
TEST(RcuDeathTest, ALockMayNotBeWaitedForInsideAGuard) {
  LockDomain lock;
  const RcuGuard guard;
  EXPECT_DEATH(lock.lock(), "t_depth == 0");
}

TEST(RcuTest, ALockThatIsHeldMayBeUsedInsideAGuard) {
  LockDomain lock;
  const DomainGuard outer(&lock);
  const RcuGuard guard;
  const DomainGuard inner(&lock);
  EXPECT_TRUE(lock.held_by_me());
}

}  // namespace
}  // namespace rhea
