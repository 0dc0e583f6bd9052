// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/net_peer.h"

#include "rhea/net/net_port.h"
#include "tests/support/turn.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>

namespace rhea::test {

/// Its own lock is a leaf: the card's thread and the test's meet in it.
class TestNetdev final : public Netdev {
 public:
  static constexpr std::string_view kName = "netdev-test";

  std::string_view kind() const override { return "test"; }
  std::string info() const override { return ""; }
  unsigned queues() const override { return pairs; }
  unsigned pairs{1};

  void give(std::vector<FrameBytes> frames) {
    const std::lock_guard lock(mutex_);
    std::ranges::move(frames, std::back_inserter(given_));
    later([this] { hand_over(); });
  }
  std::size_t waiting() {
    const std::lock_guard lock(mutex_);
    return given_.size();
  }
  bool refused() {
    const std::lock_guard lock(mutex_);
    return refused_;
  }
  std::optional<FrameBytes> take() {
    const std::lock_guard lock(mutex_);
    if (sent_.empty()) return {};
    FrameBytes frame = std::move(sent_.front());
    sent_.pop_front();
    return frame;
  }
  bool is_quiet() {
    const std::lock_guard lock(mutex_);
    return pending_ == 0;
  }
  /// What waits is dropped, and the card told that nothing does.
  void forget() {
    const std::lock_guard lock(mutex_);
    given_.clear();
    later([this] { deliver({}); });
  }
  void room_for(std::size_t frames) {
    const std::lock_guard lock(mutex_);
    room_ = frames;
    later([this] { tell_can_send(); });
  }

 protected:
  void begin() override {
    const std::lock_guard lock(mutex_);
    loop_ = &loop();
    here_ = std::make_shared<bool>(true);
    later([this] { hand_over(); });
  }
  void end() override {
    const std::lock_guard lock(mutex_);
    loop_ = nullptr;
    *here_ = false;
    pending_ = 0;
  }
  std::size_t transmit(std::span<const Frame> frames) override {
    const std::lock_guard lock(mutex_);
    const std::size_t taken = std::min(frames.size(), room_);
    for (const Frame frame : frames.first(taken)) sent_.emplace_back(frame.begin(), frame.end());
    if (room_ != kUnbounded) room_ -= taken;
    return taken;
  }
  void resume() override { hand_over(); }

 private:
  /// Under the front end's domain, unless that has gone by then (and this with it).
  template <class Work>
  void later(Work work) {
    if (loop_ == nullptr) return;
    ++pending_;
    loop_->defer([this, here = here_, work] {
      if (!*here) return;
      work();
      const std::lock_guard lock(mutex_);
      --pending_;
    });
  }

  static constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max();

  void hand_over() {
    std::vector<FrameBytes> frames;
    {
      const std::lock_guard lock(mutex_);
      frames.assign(given_.begin(), given_.end());
    }
    if (!attached() || frames.empty()) return;
    const std::vector<Frame> views(frames.begin(), frames.end());
    const std::size_t taken = deliver(views);
    const std::lock_guard lock(mutex_);
    refused_ |= taken < views.size();
    // Somebody may have dropped them meanwhile.
    given_.erase(given_.begin(),
                 given_.begin() + static_cast<std::ptrdiff_t>(std::min(taken, given_.size())));
  }

  std::mutex mutex_;
  std::deque<FrameBytes> given_, sent_;
  std::size_t room_{kUnbounded};
  bool refused_{false};
  EventLoop* loop_{};
  unsigned pending_{0};         ///< works that the loop has not come to
  std::shared_ptr<bool> here_;  ///< changed under the domain
};

namespace {

constexpr std::chrono::seconds kPatience{10};

const RegisterType<TestNetdev, Netdev> registration;

TestNetdev& add_backend(Machine& machine, const std::string& id) {
  return machine.container(Netdev::kLinkRoot).add_child(id, create<TestNetdev>());
}

}  // namespace

NetPeer::NetPeer(Machine& machine, const std::string& id)
    : machine_(machine), backend_(add_backend(machine, id)) {}

Netdev& NetPeer::netdev() { return backend_; }

void NetPeer::offer_queues(unsigned pairs) { backend_.pairs = pairs; }
void NetPeer::give(std::vector<FrameBytes> frames) { backend_.give(std::move(frames)); }
std::size_t NetPeer::waiting() { return backend_.waiting(); }
bool NetPeer::refused() {
  return turn_until(machine_, [this] { return backend_.refused(); }, kPatience);
}
bool NetPeer::all_taken() {
  return turn_until(machine_, [this] { return backend_.waiting() == 0; }, kPatience);
}
void NetPeer::settle() {
  turn_until(machine_, [this] { return is_quiet(); }, kPatience);
}
// Whatever is asked of the card is a work of the back end's, or the port's next call.
bool NetPeer::is_quiet() {
  if (!backend_.is_quiet()) return false;
  const auto& ports = machine_.service<NetPorts>().all();
  const auto port = std::ranges::find(ports, &backend_, &NetPort::target);
  if (port == ports.end()) return true;
  const DomainGuard guard((*port)->card()->lock_domain());
  return !(*port)->send_pending();
}
void NetPeer::forget() {
  backend_.forget();
  settle();
}
std::optional<FrameBytes> NetPeer::take() {
  std::optional<FrameBytes> frame;
  turn_until(machine_, [&] { return (frame = backend_.take()).has_value(); }, kPatience);
  return frame;
}
std::vector<FrameBytes> NetPeer::take_all() {
  std::vector<FrameBytes> all;
  while (auto frame = backend_.take()) all.push_back(std::move(*frame));
  return all;
}
void NetPeer::room_for(std::size_t frames) { backend_.room_for(frames); }

}  // namespace rhea::test
