// SPDX-License-Identifier: GPL-2.0-or-later
// Timers and the main loop: when arming one wakes it, and how exactly it waits.
#include "rhea/softmmu/clock.h"

#include "rhea/softmmu/machine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace rhea::test {
namespace {

using namespace std::chrono_literals;

/// A main loop on a thread of its own, which counts how often it has waited.
class WaitingLoop : public testing::Test {
 protected:
  static constexpr i64 kMs = 1'000'000;

  WaitingLoop() {
    for (Timer* timer : {&one_, &other_})
      timer->init(machine_.realtime_clock(), [this] { ++fired_; });
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        machine_.loop().iterate(true);
        ++turns_;
      }
    });
  }
  ~WaitingLoop() override {
    thread_.request_stop();
    machine_.loop().wake();
    thread_.join();
  }
  /// How often the loop has been woken by what `act` does, when it is back at waiting.
  template <class Act>
  unsigned wakes(Act act) {
    std::this_thread::sleep_for(50ms);
    const unsigned before = turns_;
    act();
    std::this_thread::sleep_for(50ms);
    return turns_ - before;
  }
  i64 in_ms(i64 ms) { return machine_.realtime_clock().now_ns() + ms * kMs; }

  Machine machine_;
  Timer one_, other_;
  std::atomic<unsigned> fired_{0}, turns_{0};
  std::jthread thread_;
};

TEST_F(WaitingLoop, IsWokenByTheFirstTimer) {
  EXPECT_EQ(wakes([this] { one_.arm(in_ms(60'000)); }), 1u);
}

TEST_F(WaitingLoop, SleepsOnWhenATimerIsArmedForLaterThanTheNext) {
  one_.arm(in_ms(60'000));
  EXPECT_EQ(wakes([this] {
              for (i64 n = 0; n < 1000; ++n) other_.arm(in_ms(61'000 + n));
            }),
            0u);
}

// As the 8254's own timer at each write to the chip.
TEST_F(WaitingLoop, SleepsOnWhenTheNextTimerIsArmedAgainForTheSameTimeOrLater) {
  const i64 due = in_ms(60'000);
  one_.arm(due);
  EXPECT_EQ(wakes([&] {
              for (i64 n = 0; n < 1000; ++n) one_.arm(due + n * kMs);
              one_.cancel();
              one_.arm(due);
            }),
            0u);
}

TEST_F(WaitingLoop, IsWokenForEachEarlierTime) {
  one_.arm(in_ms(60'000));
  EXPECT_EQ(wakes([this] { other_.arm(in_ms(50'000)); }), 1u);
  EXPECT_EQ(wakes([this] { one_.arm(in_ms(40'000)); }), 1u);
}

TEST_F(WaitingLoop, ComesInTimeForATimerThatWakesNobody) {
  one_.arm(in_ms(100));
  std::this_thread::sleep_for(50ms);
  other_.arm(in_ms(150));
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(fired_, 2u);
}

TEST_F(WaitingLoop, HearsOfAClockThatStarts) {
  Timer timer;
  std::atomic<bool> fired = false;
  timer.init(machine_.virtual_clock(), [&] { fired = true; });
  timer.arm(10 * kMs);
  std::this_thread::sleep_for(50ms);
  machine_.virtual_clock().start();
  std::this_thread::sleep_for(500ms);
  EXPECT_TRUE(fired);
}

TEST_F(WaitingLoop, HearsOfAClockThatJumps) {
  one_.arm(in_ms(60'000));
  std::this_thread::sleep_for(50ms);
  machine_.realtime_clock().set_ns(one_.expiry_ns());
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(fired_, 1u);
}

// A timer of a kilohertz must not wait for the next full millisecond each time.
// On a busy host any one wait may be long; were they rounded to milliseconds, none could be short.
TEST(MainLoop, WaitsToTheMicrosecond) {
  Machine machine;
  Timer timer;
  auto before = std::chrono::steady_clock::now();
  auto shortest = std::chrono::steady_clock::duration::max();
  unsigned fired = 0;
  timer.init(machine.realtime_clock(), [&] {
    ++fired;
    const auto now = std::chrono::steady_clock::now();
    shortest = std::min(shortest, now - std::exchange(before, now));
    timer.arm_in(100'000);
  });
  timer.arm_in(100'000);
  while (fired < 200) machine.loop().iterate(true);
  EXPECT_LT(shortest, 950us);
}

}  // namespace
}  // namespace rhea::test
