// SPDX-License-Identifier: GPL-2.0-or-later
// Messages between local APICs, and from devices to them.
#include "accel/apic/apic_bus.h"

#include "rhea/util/lock.h"

namespace rhea::apic {

void ApicBus::send(const Message& message, const LocalApic* except) {
  if (message.mode != DeliveryMode::LowestPriority) {
    for (LocalApic* apic : apics_)
      if (apic != except && apic->matches(message)) apic->accept(message);
    return;
  }
  LocalApic* lowest = nullptr;
  for (LocalApic* apic : apics_)
    if (apic != except && apic->matches(message) &&
        (lowest == nullptr || apic->priority() < lowest->priority()))
      lowest = apic;
  if (lowest != nullptr) lowest->accept(message);
}

// SDM vol. 3, 11.11: destination and its mode are in the address, the rest in the data.
void ApicBus::send(const MsiMessage& message) {
  const u32 destination = static_cast<u32>(message.address >> 12 & 0xff);
  send({.vector = static_cast<u8>(message.data),
        .mode = static_cast<DeliveryMode>(message.data >> 8 & 7),
        .level = (message.data & 1u << 15) != 0,
        .logical = (message.address & 1u << 2) != 0,
        .destination = destination,
        .x2apic_destination = false});
}

void ApicBus::end_of_interrupt(u8 vector) {
  const DomainGuard guard(&machine_->lock());
  if (EoiListener* ioapic = machine_->interrupts.ioapic) ioapic->end_of_interrupt(vector);
}

}  // namespace rhea::apic
