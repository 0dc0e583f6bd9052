// SPDX-License-Identifier: GPL-2.0-or-later
// All local APICs of a machine: who gets a message.
#pragma once

#include "accel/apic/local_apic.h"
#include "rhea/softmmu/machine.h"

#include <vector>

namespace rhea::apic {

/// machine.service<ApicBus>(). APICs are added before the processors run. Thread-safe after that.
class ApicBus final : public MachineService {
 public:
  explicit ApicBus(Machine& machine) : machine_(&machine) {}

  void add(LocalApic& apic) { apics_.push_back(&apic); }
  void remove(LocalApic& apic) { std::erase(apics_, &apic); }
  /// Sends to every APIC that the destination names; to one of them in lowest-priority mode.
  /// `except`: left out (all excluding self).
  void send(const Message& message, const LocalApic* except = nullptr);
  void send(const MsiMessage& message);
  /// A level-triggered interrupt has ended. Takes the machine's lock.
  void end_of_interrupt(u8 vector);

 private:
  Machine* machine_;
  std::vector<LocalApic*> apics_;
};

}  // namespace rhea::apic
