// SPDX-License-Identifier: GPL-2.0-or-later
// A card's end of a network back end.
#pragma once

#include "rhea/net/mac_address.h"
#include "rhea/net/netdev.h"
#include "rhea/net/rx_filter.h"
#include "rhea/qom/device.h"
#include "rhea/qom/schema.h"
#include "rhea/util/io_thread.h"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace rhea {

/// What every network card has: the properties `mac` and `netdev`, and the thread on which its
/// frames move. A member of the card:
///
///   static void describe(Schema<E1000>& s) { NetPort::declare(s, &E1000::port_); }
///   Result<> realize() override { TRY(port_.attach(*this, {.receive = …})); }
///
/// A card with a lock domain of its own has a thread of its own, on which everything that is called
/// here runs, under that domain; others live on the main loop. Both ways wait while the machine
/// does not run: so nothing moves in the card while it is saved.
class NetPort final : public ObjectMember {
 public:
  using Target = Netdev;
  /// What the card does; functions may be empty.
  struct Card {
    /// Frames for the guest; returns how many it took. Once it has room again: accept_input().
    std::function<std::size_t(std::span<const Frame>)> receive;
    /// Go on sending: there is room again, or the machine runs again.
    std::function<void()> can_send;
    std::function<void(bool up)> link_changed;
    /// What it lets in; for monitors.
    std::function<RxFilterState()> filter{};
  };

  NetPort() = default;
  ~NetPort() override { end(); }

  template <class Self, class Owner>
  static void declare(Schema<Self>& s, NetPort Owner::* port) {
    s.link("netdev", port).help("the network back end (-netdev) it leads to");
    s.computed(
         "mac", "str", [port](const Self& self) { return Value((self.*port).mac_.text()); },
         [port](Self& self, const Value& value) -> Result<> {
           (self.*port).mac_ = TRY(PropertyCodec<MacAddress>::parse(value, {}));
           return {};
         })
        .help("Ethernet address; 00:00:00:00:00:00: the next free one from 52:54:00:12:34:56 on");
  }

  /// From realize(). Without a `netdev` the link is down and what is sent is dropped.
  Result<> attach(Device& card, Card functions);
  const MacAddress& mac() const { return mac_; }
  /// The back end's, and what `set_link` said of the card itself.
  bool link_up() const { return up_ && netdev_ != nullptr && netdev_->link_up(); }
  /// Nothing of a card that does not tell. Machine's lock.
  std::optional<RxFilterState> filter() const;
  /// set_link on the card. Machine's lock.
  void set_link(bool up);

  // Under the card's domain.

  /// Returns how many were taken; the card keeps the rest until can_send().
  std::size_t send(std::span<const Frame> frames);
  void accept_input();
  /// Calls can_send() once, soon, from the port's thread: for a card whose registers ask it to
  /// send.
  void send_soon();
  /// A call of can_send() is on its way.
  bool send_pending() const { return sending_ && *sending_; }

  /// "e1000.0" or the card's id.
  const std::string& name() const { return name_; }
  Device* card() const { return card_; }
  Netdev* target() const { return netdev_; }
  void lead_to(Netdev* netdev) { netdev_ = netdev; }

 protected:
  void end() override;

 private:
  friend class NetPorts;
  void on_run_state(bool running);
  void tell_link();

  Netdev* netdev_{};
  MacAddress mac_;
  Device* card_{};
  std::string name_;
  Card functions_;
  LockDomain* domain_{};
  EventLoop* loop_{};
  bool up_{true};
  bool running_{false};
  bool attached_{false};
  std::shared_ptr<bool> sending_;     ///< a call of can_send() is on its way
  std::unique_ptr<IoThread> thread_;  ///< of a card with its own domain
};

/// All cards of the machine, the oldest first. Main thread, machine's lock.
class NetPorts final : public MachineService {
 public:
  explicit NetPorts(Machine&) {}

  const std::vector<NetPort*>& all() const { return all_; }
  NetPort* find(std::string_view name) const;
  /// Back ends go before the cards do, and no thread may call a card that is being destroyed.
  void shutdown() override;

 private:
  friend class NetPort;
  MacAddress next_mac();
  std::string next_name(std::string_view model);
  std::vector<NetPort*> all_;
};

}  // namespace rhea
