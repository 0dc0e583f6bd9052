// SPDX-License-Identifier: GPL-2.0-or-later
// Lock domains: who waits gets its turn.
#include "rhea/util/lock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

namespace rhea::test {
namespace {

using namespace std::chrono_literals;

// As a vCPU that polls a slow device: lets go only to take it again.
void hold_over_and_over(LockDomain& lock, const std::atomic<bool>& stop, std::atomic<int>& turns) {
  while (!stop) {
    const std::lock_guard guard(lock);
    std::this_thread::sleep_for(2ms);
    ++turns;
  }
}

TEST(LockDomain, WhoWaitsGetsItsTurn) {
  LockDomain lock;
  std::atomic<bool> stop{false};
  std::atomic<int> turns{0};
  std::vector<std::jthread> greedy;
  for (int i = 0; i < 3; ++i) greedy.emplace_back([&] { hold_over_and_over(lock, stop, turns); });
  while (turns < 3) std::this_thread::yield();
  const int before = turns;
  for (int i = 0; i < 20; ++i) {
    const std::lock_guard guard(lock);
  }
  stop = true;
  // Three others, each with a turn before ours at most, and one that began before we asked; in
  // hundreds where nothing makes them wait.
  EXPECT_LE(turns - before, 20 * 6);
}

TEST(LockDomain, ItsHolderLetsOthersGoFirstInTheMiddleOfLongWork) {
  LockDomain lock;
  std::atomic<bool> had{false};
  lock.lock();
  std::jthread other([&] {
    const std::lock_guard guard(lock);
    had = true;
  });
  while (!lock.let_others()) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(had);
  EXPECT_TRUE(lock.held_by_me());
  lock.unlock();
}

TEST(LockDomain, WithNobodyWaitingItIsKept) {
  LockDomain lock;
  const std::lock_guard guard(lock);
  EXPECT_FALSE(lock.let_others());
}

TEST(LockDomain, ManyThreadsCountTogether) {
  LockDomain lock;
  int count = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        for (int n = 0; n < 20'000; ++n) {
          const std::lock_guard guard(lock);
          ++count;
        }
      });
  }
  EXPECT_EQ(count, 160'000);
}

}  // namespace
}  // namespace rhea::test
