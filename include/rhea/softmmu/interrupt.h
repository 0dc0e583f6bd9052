// SPDX-License-Identifier: GPL-2.0-or-later
// Where interrupts leave the devices and enter the processors. The board and the accelerator meet
// here: whoever owns the interrupt controllers (devices in hw/intc, or the kernel) fills these in.
#pragma once

#include "rhea/qom/irq.h"
#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <functional>

namespace rhea {

/// A message-signalled interrupt as it goes over the bus (Intel SDM vol. 3, 11.11).
struct MsiMessage {
  u64 address{};
  u32 data{};
  friend bool operator==(const MsiMessage&, const MsiMessage&) = default;
};

/// The 8259 pair as a processor sees it.
class ExtIntSource {
 public:
  virtual ~ExtIntSource() = default;
  /// Whether INTR is high.
  virtual bool intr() const = 0;
  /// The INTA cycle: the vector (the spurious one if nothing is pending any more).
  virtual u8 acknowledge() = 0;
};

/// The I/O APIC as the local APICs see it.
class EoiListener {
 public:
  virtual ~EoiListener() = default;
  virtual void end_of_interrupt(u8 vector) = 0;
};

/// Messages that eventfds send with nobody in between: KVM's irqfd. Under the machine's lock.
class MessageRoutes {
 public:
  virtual ~MessageRoutes() = default;
  /// From now on each signal of `fd` sends `message`, at once if one waits there. The route's
  /// number; an error where the host has no more.
  virtual Result<u32> add(int fd, const MsiMessage& message) = 0;
  virtual void change(u32 route, const MsiMessage& message) = 0;
  /// Signals wait in the descriptor from now on: none is lost, none is sent twice.
  virtual void remove(u32 route, int fd) = 0;
};

/// The machine's interrupt wiring. All under the machine's lock unless said else.
struct InterruptHub {
  ExtIntSource* pic{};    ///< null when the kernel has the 8259s
  EoiListener* ioapic{};  ///< null when the kernel has the I/O APIC
  /// Delivers a message to the local APICs; set by their owner. Thread-safe.
  std::function<void(const MsiMessage&)> send_msi;
  /// Null where somebody has to read such descriptors.
  MessageRoutes* routes{};
  /// The I/O APIC tells the owner of the local APICs what each of its 24 pins would send (and
  /// whether it is level-triggered), so that EOIs can be forwarded. May be empty.
  std::function<void(unsigned pin, const MsiMessage&, bool masked, bool level)> route_changed;
  /// The 8259's INTR output changed; set by the accelerator. May be empty.
  std::function<void(bool level)> intr_changed;
  /// The global system interrupt `n` (0..23) as devices raise it; set by the board.
  std::function<Irq(unsigned gsi)> gsi;
};

}  // namespace rhea
