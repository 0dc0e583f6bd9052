// SPDX-License-Identifier: GPL-2.0-or-later
// The interrupts of a vfio-user server: eventfds that it signals.
#pragma once

#include "hw/vfio/mirror.h"
#include "rhea/util/event_loop.h"

#include <array>
#include <functional>
#include <vector>

namespace rhea::hw::vfio {

/// A server has one kind of interrupt at a time, as the guest chose. Under the machine's lock.
class Interrupts {
 public:
  /// By the numbers of linux/vfio.h.
  enum class Kind : u8 { Intx = VFIO_PCI_INTX_IRQ_INDEX, Msi, Msix, None };
  struct Counts {
    std::array<u32, 3> of{};   ///< by kind
    bool masks_itself{false};  ///< INTx, until it is told that the interrupt is over
  };

  /// `signalled` hears of each eventfd, by number, on the main loop.
  Result<> join(Link& link, EventLoop& loop, const Counts& counts,
                std::function<void(unsigned)> signalled);
  void leave();
  /// Whether signals are heard here; else whoever has event(n) hears them.
  void hear(bool on);
  std::size_t count() const { return events_.size(); }
  int event(unsigned n) const { return events_[n].get(); }
  /// What the guest has switched on.
  void use(Kind kind);
  /// The server was reset: what it still signals from before is forgotten, and it is told again.
  void forget();
  /// The guest has looked after an INTx.
  void end_intx();

 private:
  void ready();
  void tell();
  void set(Kind kind, u32 first, std::span<const int> events);

  Link* link_{};
  EventLoop* loop_{};
  Counts counts_;
  std::function<void(unsigned)> signalled_;
  Mirror mirror_;
  Kind wanted_{Kind::None}, told_{Kind::None};
  std::vector<FileDescriptor> events_;
  FileDescriptor all_;  ///< an epoll of them
  EventLoop::Watch watch_;
};

}  // namespace rhea::hw::vfio
