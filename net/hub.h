// SPDX-License-Identifier: GPL-2.0-or-later
// -netdev hubport, and the one hub of all -net: what comes in at a port goes out at all others.
#pragma once

#include "rhea/net/netdev.h"
#include "rhea/util/io_thread.h"
#include "rhea/util/lock.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace rhea::net {

class HubPort;

/// The ports of one number. Thread-safe.
class Hub {
 public:
  void join(HubPort& port);
  void leave(HubPort& port);
  /// To all ports but the one that they came in at.
  void flood(const HubPort& from, std::span<const Frame> frames);

 private:
  std::mutex mutex_;  ///< before a port's
  std::vector<HubPort*> ports_;
};

/// A port, as a back end for a card or for the link to another back end. Each front end has a lock
/// and a thread of its own, so frames are copied into a queue; what finds it full is lost, as on
/// any hub.
class HubPort final : public Netdev {
 public:
  static constexpr std::string_view kName = "netdev-hubport";
  static constexpr std::size_t kMostFrames = 1024;
  static constexpr std::size_t kMostBytes = 4 * MiB;

  HubPort() = default;
  ~HubPort() override;
  static std::unique_ptr<HubPort> make(std::shared_ptr<Hub> hub, i64 number);

  i64 number() const { return number_; }
  std::string_view kind() const override { return "hubport"; }
  std::string info() const override;
  /// From any thread.
  void post(std::span<const Frame> frames);

 protected:
  void begin() override;
  void end() override;
  std::size_t transmit(std::span<const Frame> frames) override;
  void resume() override;

 private:
  /// Outlives the port, for calls that are on their way.
  struct Queue {
    std::mutex mutex;
    HubPort* port{};    ///< null without a front end
    EventLoop* loop{};  ///< the front end's
    std::vector<std::vector<u8>> frames;
    std::size_t bytes{0};
    bool called{false};
  };
  /// Has pass() called. With the queue's mutex.
  void call();
  void pass();

  std::shared_ptr<Hub> hub_;
  i64 number_{0};
  std::shared_ptr<Queue> queue_{std::make_shared<Queue>()};
  std::vector<std::vector<u8>> now_;  ///< taken out of the queue; the first `passed_` are delivered
  std::size_t passed_{0};
};

/// Between a port and the back end that is plugged into it: the front end of both.
class HubLink {
 public:
  HubLink() : thread_("net hub", &domain_) {}
  ~HubLink() { end(); }
  HubLink(const HubLink&) = delete;
  HubLink& operator=(const HubLink&) = delete;

  /// Main thread, machine's lock; so are the others.
  Result<> connect(HubPort& port, Netdev& other);
  bool broken() const { return port_ == nullptr || other_ == nullptr; }
  /// The hub at the other end, if there is one, seen from that of this number.
  std::optional<i64> across(i64 number) const;
  void end();

 private:
  LockDomain domain_{LockDomain::Kind::Device};
  IoThread thread_;
  Netdev* port_{};
  Netdev* other_{};
  i64 hub_{0};
  std::optional<i64> other_hub_;  ///< where the other one is a hub's port, too
};

/// All hubs of a machine. Main thread, machine's lock.
class Hubs final : public MachineService {
 public:
  explicit Hubs(Machine& machine) : machine_(machine) {}

  /// A port with `other` plugged in, unless that is null.
  Result<std::unique_ptr<Netdev>> make_port(i64 number, Netdev* other);
  /// A port of hub 0 under a free id: "hub0port0".
  Result<Netdev*> add_port(Netdev* other);
  /// Links whose one end is gone let go of the other.
  void tidy();
  void shutdown() override { links_.clear(); }

 private:
  bool lead_to(i64 from, i64 to) const;

  Machine& machine_;
  std::map<i64, std::weak_ptr<Hub>> hubs_;
  std::vector<std::unique_ptr<HubLink>> links_;
};

}  // namespace rhea::net
