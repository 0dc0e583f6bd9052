// SPDX-License-Identifier: GPL-2.0-or-later
// Keeping and telling the routing table.
#include "accel/kvm/irq_routing.h"

#include "accel/kvm/trace_events.h"
#include "accel/kvm/vm.h"

#include <algorithm>

namespace rhea::kvm {

void IrqRouting::add_pin(u32 gsi, u32 chip, u32 pin) {
  kvm_irq_routing_entry entry{};
  entry.gsi = gsi;
  entry.type = KVM_IRQ_ROUTING_IRQCHIP;
  entry.u.irqchip.irqchip = chip;
  entry.u.irqchip.pin = pin;
  entries_.push_back(entry);
}

bool IrqRouting::set_message(u32 gsi, const MsiMessage& message) {
  kvm_irq_routing_entry entry{};
  entry.gsi = gsi;
  entry.type = KVM_IRQ_ROUTING_MSI;
  entry.u.msi.address_lo = static_cast<u32>(message.address);
  entry.u.msi.address_hi = static_cast<u32>(message.address >> 32);
  entry.u.msi.data = message.data;
  kvm_route(gsi, message.address, message.data);
  const auto it = std::ranges::find(entries_, gsi, &kvm_irq_routing_entry::gsi);
  if (it == entries_.end()) {
    entries_.push_back(entry);
    return true;
  }
  if (std::memcmp(&*it, &entry, sizeof entry) == 0) return false;
  *it = entry;
  return true;
}

Result<u32> IrqRouting::add_message(const MsiMessage& message) {
  const auto most = static_cast<u32>(vm_->extension(KVM_CAP_IRQ_ROUTING));
  u32 gsi = reserved_;
  while (taken_.contains(gsi)) ++gsi;
  if (gsi >= most) return fail("this host's KVM routes only {} interrupts, all are taken", most);
  taken_.insert(gsi);
  set_message(gsi, message);
  return gsi;
}

void IrqRouting::remove(u32 gsi) {
  taken_.erase(gsi);
  std::erase_if(entries_, [gsi](const auto& entry) { return entry.gsi == gsi; });
}

Result<> IrqRouting::commit() {
  VariableBlock<kvm_irq_routing, kvm_irq_routing_entry> table(entries_.size());
  table.header().nr = static_cast<u32>(entries_.size());
  std::ranges::copy(entries_, table.entries().begin());
  TRY(try_call("KVM_SET_GSI_ROUTING", vm_->fd(), KVM_SET_GSI_ROUTING, &table.header()));
  return {};
}

}  // namespace rhea::kvm
