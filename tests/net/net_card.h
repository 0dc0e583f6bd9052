// SPDX-License-Identifier: GPL-2.0-or-later
// A card that keeps what it gets, for tests of back ends.
#pragma once

#include "rhea/net/net_port.h"
#include "tests/support/bench.h"
#include "tests/support/net_peer.h"
#include "tests/support/turn.h"

#include <chrono>
#include <mutex>
#include <optional>
#include <vector>

namespace rhea::test {

/// With a lock of its own, so that its frames move on a thread of their own.
class TestCard final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "test-card";

  TestCard() { set_lock_domain(domain_); }
  static void describe(Schema<TestCard>& s) {
    s.help("a card for tests");
    NetPort::declare(s, &TestCard::port_);
  }

  NetPort& port() { return port_; }
  std::size_t send(const std::vector<FrameBytes>& frames) {
    const DomainGuard guard(&domain_);
    return port_.send(std::vector<Frame>(frames.begin(), frames.end()));
  }
  /// From now on it takes so many frames and no more.
  void room_for(std::size_t frames) {
    const DomainGuard guard(&domain_);
    room_ = frames;
    port_.accept_input();
  }
  std::vector<FrameBytes> received() {
    const DomainGuard guard(&domain_);
    return received_;
  }
  unsigned calls_to_send() {
    const DomainGuard guard(&domain_);
    return calls_to_send_;
  }
  std::vector<bool> links() {
    const DomainGuard guard(&domain_);
    return links_;
  }

 protected:
  Result<> realize() override {
    return port_.attach(*this,
                        {.receive = [this](std::span<const Frame> frames) { return take(frames); },
                         .can_send = [this] { ++calls_to_send_; },
                         .link_changed = [this](bool up) { links_.push_back(up); }});
  }

 private:
  std::size_t take(std::span<const Frame> frames) {
    const std::size_t taken = std::min(frames.size(), room_);
    for (const Frame frame : frames.first(taken))
      received_.emplace_back(frame.begin(), frame.end());
    room_ -= taken;
    return taken;
  }

  LockDomain domain_{LockDomain::Kind::Device};
  NetPort port_;
  std::size_t room_{1000000};
  std::vector<FrameBytes> received_;
  unsigned calls_to_send_{0};
  std::vector<bool> links_;
};

/// A bench whose machine runs, with a card and room for back ends.
struct NetBench {
  NetBench() { bench.machine().resume(); }
  TestCard& card(const Properties& properties = {}) {
    return dynamic_cast<TestCard&>(bench.add("test-card", properties));
  }
  /// Runs the main loop until it is so; false when that takes ten seconds.
  template <class Ready>
  bool eventually(Ready ready) {
    return turn_until(bench.machine(), ready, std::chrono::seconds(10));
  }

  Bench bench;
};

}  // namespace rhea::test
