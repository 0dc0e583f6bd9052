// SPDX-License-Identifier: GPL-2.0-or-later
// Getting vCPUs out of the guest, over and over, without ever losing a request. A watchdog kicks
// again when one is lost, so that the test fails instead of hanging.
#include "tests/accel/guest.h"

#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

namespace rhea::test {
namespace {

using std::chrono::milliseconds;

constexpr unsigned kCycles = 10000;

/// More than three seconds without progress count as a lost kick.
class Watchdog {
 public:
  explicit Watchdog(Guest& guest) : guest_(&guest), thread_([this] { watch(); }) {}
  ~Watchdog() {
    ended_ = true;
    thread_.join();
  }
  void progress() { ++count_; }
  unsigned lost() const { return lost_; }

 private:
  void watch() {
    unsigned last = 0;
    auto since = std::chrono::steady_clock::now();
    while (!ended_) {
      std::this_thread::sleep_for(milliseconds(20));
      const auto now = std::chrono::steady_clock::now();
      if (const unsigned count = count_; count != last) {
        last = count;
        since = now;
      } else if (now - since > std::chrono::seconds(3)) {
        if (++lost_ > 3) give_up();
        guest_->vcpu().kick();
        since = now;
      }
    }
  }

  // Kicks do nothing at all: there is no way back into the test.
  [[noreturn]] static void give_up() {
    fmt::print(stderr, "kicks do not get the vCPU out of the guest\n");
    std::_Exit(1);
  }

  Guest* guest_;
  std::atomic<bool> ended_{false};
  std::atomic<unsigned> count_{0}, lost_{0};
  std::thread thread_;
};

/// Kicks the vCPU at random moments as long as it lives.
class Kicker {
 public:
  explicit Kicker(Guest& guest) : thread_([this, &guest] { hammer(guest); }) {}
  ~Kicker() {
    ended_ = true;
    thread_.join();
  }
  unsigned kicks() const { return kicks_; }

 private:
  void hammer(Guest& guest) {
    std::minstd_rand random(1);
    while (!ended_) {
      guest.vcpu().kick();
      ++kicks_;
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 200));
    }
  }

  std::atomic<bool> ended_{false};
  std::atomic<unsigned> kicks_{0};
  std::thread thread_;
};

/// Up to 100 microseconds, so that the next request meets the vCPU anywhere.
void linger(std::minstd_rand& random) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(random() % 100000);
  while (std::chrono::steady_clock::now() < end) {
  }
}

class KvmKick : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { SKIP_WITHOUT_KVM(); }
  /// The parameter: whether the kernel has immediate_exit.
  static GuestOptions options() {
    return {.vm = {},
            .hidden = GetParam() ? std::vector<int>{} : std::vector<int>{KVM_CAP_IMMEDIATE_EXIT}};
  }
  static void expect_runs_on(Guest& guest) {
    guest.start();
    const u32 before = guest.peek<u32>(0x3000);
    EXPECT_TRUE(guest.wait([&] { return guest.peek<u32>(0x3000) != before; }));
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, KvmKick, testing::Bool(), [](const auto& way) {
  return way.param ? "ImmediateExit" : "SignalMask";
});

TEST_P(KvmKick, NoPauseOfASpinningGuestIsLost) {
  Guest guest(options());
  guest.start_real(GUEST(loop));
  ASSERT_TRUE(guest.wait([&] { return guest.peek<u32>(0x3000) > 0; }));
  Watchdog watchdog(guest);
  std::minstd_rand random(2);
  for (unsigned i = 0; i < kCycles; ++i) {
    guest.pause();
    ASSERT_TRUE(guest.machine().vcpus()[0]->stopped()) << i;
    guest.start();
    linger(random);
    watchdog.progress();
  }
  EXPECT_EQ(watchdog.lost(), 0U);
  expect_runs_on(guest);
}

TEST_P(KvmKick, NoPauseIsLostAmongKicksAtRandomMoments) {
  Guest guest(options());
  guest.start_real(GUEST(exits));
  ASSERT_TRUE(guest.wait([&] { return guest.peek<u32>(0x3000) > 0; }));
  Watchdog watchdog(guest);
  unsigned kicks = 0;
  {
    const Kicker kicker(guest);
    std::minstd_rand random(3);
    for (unsigned i = 0; i < kCycles; ++i) {
      guest.pause();
      guest.start();
      linger(random);
      watchdog.progress();
      if (i % 64 == 0) guest.clear_log();
    }
    kicks = kicker.kicks();
  }
  EXPECT_GT(kicks, 100U);
  EXPECT_EQ(watchdog.lost(), 0U);
  expect_runs_on(guest);
}

TEST_P(KvmKick, WorkForTheThreadOfASpinningGuestIsAlwaysDone) {
  Guest guest(options());
  guest.start_real(GUEST(loop));
  ASSERT_TRUE(guest.wait([&] { return guest.peek<u32>(0x3000) > 0; }));
  Watchdog watchdog(guest);
  std::minstd_rand random(4);
  unsigned done = 0;
  for (unsigned i = 0; i < kCycles; ++i) {
    guest.machine().vcpus()[0]->run_on([&] { ++done; });
    linger(random);
    watchdog.progress();
  }
  EXPECT_EQ(done, kCycles);
  EXPECT_EQ(watchdog.lost(), 0U);
  guest.pause();
  expect_runs_on(guest);
}

// An access whose answer the guest has not taken yet when it is paused is completed once, later.
TEST_P(KvmKick, NoExitIsLostOrDoubledByPauses) {
  Guest guest(options());
  guest.start_real(GUEST(exits));
  Watchdog watchdog(guest);
  for (unsigned i = 0; i < 500; ++i) {
    guest.pause();
    guest.start();
    watchdog.progress();
  }
  ASSERT_TRUE(guest.wait([&] { return guest.log().size() > 30; }));
  guest.pause();
  EXPECT_EQ(watchdog.lost(), 0U);
  const std::vector<Seen> log = guest.log();
  const std::array<Seen, 3> round = {port_read(0x500, 1, 0), port_write(0x500, 1, 0),
                                     mem_write(0xd0000, 1, 0)};
  for (std::size_t i = 0; i < log.size(); ++i) ASSERT_EQ(log[i], round[i % 3]) << i;
  const auto rounds = static_cast<u32>(log.size() / 3);
  EXPECT_GE(guest.peek<u32>(0x3000) + 1, rounds);
  EXPECT_LE(guest.peek<u32>(0x3000), rounds);
}

}  // namespace
}  // namespace rhea::test
