// SPDX-License-Identifier: GPL-2.0-or-later
// A vCPU that is held back for a host peer stays out of the guest and answers everybody else.
#include "rhea/softmmu/vcpu_gate.h"

#include "rhea/softmmu/machine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

namespace rhea::test {
namespace {

using namespace std::chrono_literals;

/// A guest whose every step meets the gate.
class Guest final : public VcpuRunner {
 public:
  explicit Guest(VcpuGate& gate) : gate_(&gate) {}
  void run() override {
    while (!kicked_.exchange(false)) {
      ++steps;
      gate_->hold_back();
    }
  }
  void kick() override { kicked_ = true; }

  std::atomic<int> steps{0};

 private:
  VcpuGate* gate_;
  std::atomic<bool> kicked_{false};
};

class VcpuGateTest : public testing::Test {
 protected:
  VcpuGateTest() {
    vcpu_.resume();
    std::this_thread::sleep_for(100ms);
  }
  void TearDown() override { gate_.open(); }
  bool reaches(int steps) {
    const auto end = std::chrono::steady_clock::now() + 5s;
    while (guest_.steps < steps && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(1ms);
    return guest_.steps >= steps;
  }

  Machine machine_;
  VcpuGate gate_;
  Guest guest_{gate_};
  Vcpu vcpu_{machine_, 0, guest_};
};

TEST_F(VcpuGateTest, closed_gate_keeps_the_vcpu_out_of_the_guest) {
  EXPECT_GE(guest_.steps, 1);
  EXPECT_LE(guest_.steps, 20);
}

TEST_F(VcpuGateTest, open_gate_lets_it_go_on) {
  const int before = guest_.steps;
  gate_.open();
  EXPECT_TRUE(reaches(before + 1));
}

TEST_F(VcpuGateTest, held_vcpu_does_what_others_ask_of_it) {
  bool done = false;
  vcpu_.run_on([&] { done = true; });
  EXPECT_TRUE(done);
  EXPECT_LE(guest_.steps, 20);
}

TEST_F(VcpuGateTest, held_vcpu_stops_when_asked) {
  vcpu_.request_stop();
  vcpu_.wait_stopped();
  EXPECT_TRUE(vcpu_.stopped());
}

}  // namespace
}  // namespace rhea::test
