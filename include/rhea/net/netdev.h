// SPDX-License-Identifier: GPL-2.0-or-later
// Network back ends: where a card's frames go, and where those for it come from.
#pragma once

#include "rhea/qom/object.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/event_loop.h"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rhea {

/// An Ethernet frame, from its destination address on, without preamble and checksum.
using Frame = std::span<const u8>;

/// The longest that a back end takes or gives: what a segmentation offload may leave whole.
inline constexpr std::size_t kLongestFrame = 68 * KiB;

class FrameFilter;

/// One back end, an object under /netdevs/ID. It has at most one front end: a card, or a hub's
/// port.
///
/// Threads: while a front end is attached, everything here runs on its loop or else under its lock
/// domain; without one, on the main thread under the machine's lock. Nothing here waits.
class Netdev : public Object {
 public:
  static constexpr std::string_view kName = "netdev";
  static constexpr std::string_view kLinkRoot = "/netdevs";
  using Extendable = Netdev;
  Netdev();
  ~Netdev() override;

  /// The side that uses the back end.
  struct FrontEnd {
    std::string name;      ///< as messages and `info network` call it
    EventLoop* loop{};     ///< all calls come from here, under `domain`
    LockDomain* domain{};  ///< the card's own, or the machine's
    /// Frames of the other side, the oldest first. Returns how many it took; the rest is kept, and
    /// comes again after accept_input().
    std::function<std::size_t(std::span<const Frame>)> receive;
    /// After a send() that did not take all: there is room again.
    std::function<void()> can_send;
    /// The link came up or went down.
    std::function<void(bool up)> link_changed;
    /// The back end goes away (netdev_del): let go of it.
    std::function<void()> gone;
  };

  /// Machine's lock, without the domain. Fails when another front end is attached.
  Result<> attach(FrontEnd front_end);
  /// Machine's lock, without the domain. No call comes any more; what waits is dropped.
  void detach();
  bool attached() const { return attached_; }
  const std::string& front_end_name() const { return front_end_.name; }

  /// Sends frames to the other side, as many as it has room for; returns how many. With the link
  /// down all are taken and dropped.
  std::size_t send(std::span<const Frame> frames);
  /// The front end has room again.
  void accept_input();

  /// As `set_link` has it.
  bool link_up() const { return link_up_; }
  void set_link(bool up);

  /// How many pairs of queues a card may have of it.
  virtual unsigned queues() const { return 1; }
  /// "user", "tap", "dgram", …
  virtual std::string_view kind() const = 0;
  /// As `info network` shows it behind the type: "net=10.0.2.0,restrict=off".
  virtual std::string info() const = 0;

  /// Sees every frame of both directions from now on, until it removes itself or hears gone().
  /// Machine's lock, without the domain.
  void add_filter(FrameFilter& filter);
  void remove_filter(FrameFilter& filter);

 protected:
  /// A front end has come; its loop is there for watches. Under its domain.
  virtual void begin() = 0;
  /// It is about to go: no watch may stay on its loop. Under its domain.
  virtual void end() = 0;
  /// The way out: takes frames and returns how many, never blocks. After a short answer it calls
  /// tell_can_send() when there is room.
  virtual std::size_t transmit(std::span<const Frame> frames) = 0;
  /// The front end takes frames again, after a short deliver().
  virtual void resume() = 0;

  /// The way in: returns how many the front end took. After a short answer keep the rest, read no
  /// more, and go on at resume().
  std::size_t deliver(std::span<const Frame> frames);
  void tell_can_send();
  /// Of the front end.
  EventLoop& loop() { return *front_end_.loop; }

 private:
  friend class NetPort;
  LockDomain* domain() const { return front_end_.domain; }

  FrontEnd front_end_;
  bool attached_{false};
  bool link_up_{true};
  bool blocked_{false};  ///< the last deliver() was not taken whole
  std::vector<FrameFilter*> filters_;
};

/// Looks at what passes a back end.
class FrameFilter {
 public:
  enum class Direction : u8 { FromGuest, ToGuest };
  virtual ~FrameFilter() = default;
  /// On the loop or under the domain of the back end's front end.
  virtual void see(Direction direction, Frame frame) = 0;
  /// The back end is destroyed. Machine's lock.
  virtual void gone() {}
};

/// Creates a back end from -netdev's options (or JSON; with "type" and "id") and puts it under
/// /netdevs/id. Main thread, machine's lock.
Result<Netdev*> create_netdev(Machine& machine, std::string_view option_text);
Netdev* find_netdev(Machine& machine, std::string_view id);

}  // namespace rhea
