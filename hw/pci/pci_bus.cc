// SPDX-License-Identifier: GPL-2.0-or-later
// The PCI bus: slots, configuration accesses, shared interrupt links.
#include "hw/pci/trace_events.h"
#include "rhea/hw/pci.h"
#include "softmmu/device_faults.h"

#include <algorithm>

namespace rhea {
namespace {

constexpr unsigned kSlots = 32, kFunctions = 8;

constexpr unsigned make_devfn(unsigned slot, unsigned function) { return slot << 3 | function; }

constexpr bool in_config_space(unsigned reg, unsigned size) {
  return reg < PciDevice::kConfigSize && size <= PciDevice::kConfigSize - reg;
}

bool answers(const PciDevice* device) {
  if (device == nullptr || !device->is_realized()) return false;
  const DeviceFaults* faults = FaultTable::find(device);
  return faults == nullptr || !faults->removed();
}

}  // namespace

void PciBus::init(Region& memory, Region& io, AddressSpace& dma_space,
                  std::function<unsigned(unsigned, unsigned)> map_irq,
                  std::function<void(unsigned, bool)> set_irq) {
  memory_ = &memory;
  io_ = &io;
  dma_space_ = &dma_space;
  map_irq_ = std::move(map_irq);
  set_irq_ = std::move(set_irq);
}

bool PciBus::is_full() const {
  return std::ranges::none_of(slots_, [](const PciDevice* device) { return device == nullptr; });
}

PciBus* PciBus::find(unsigned number) {
  if (number == number_) return this;
  for (PciDevice* device : slots_) {
    PciBus* const behind = device != nullptr ? device->secondary_bus() : nullptr;
    // Firmware opens one bridge after the other: a number that is not set yet is 0, this bus's.
    if (behind == nullptr || device->secondary_number() == 0 ||
        number < device->secondary_number() || number > device->subordinate_number())
      continue;
    return behind->find(number);
  }
  return nullptr;
}

u32 PciBus::config_read(unsigned devfn, unsigned reg, unsigned size) const {
  PciDevice* target = device(devfn);
  u32 value = static_cast<u32>(all_ones(size));
  if (answers(target) && in_config_space(reg, size)) value &= target->config_read(reg, size);
  hw::pci_config_read(target, devfn, reg, size, value);
  return value;
}

void PciBus::config_write(unsigned devfn, unsigned reg, u32 value, unsigned size) {
  PciDevice* target = device(devfn);
  hw::pci_config_write(target, devfn, reg, size, value);
  if (answers(target) && in_config_space(reg, size)) target->config_write(reg, value, size);
}

// Whether `device` may sit at `devfn`: free, and in agreement with function 0 about there being
// more than one.
Result<> PciBus::check_slot(const PciDevice& device, unsigned devfn) const {
  const unsigned slot = devfn >> 3, function = devfn & 7;
  const std::string& name = device.type().name;
  if (const PciDevice* there = slots_[devfn])
    return fail("PCI: slot {} function {} not available for {}, in use by {}", slot, function, name,
                there->type().name);
  const PciDevice* first = slots_[make_devfn(slot, 0)];
  if (function != 0) {
    if (first != nullptr && !first->is_multifunction())
      return fail("PCI: {} cannot be function {:x}.{}: {:x}.0 ({}) is a single-function device",
                  name, slot, function, slot, first->type().name);
    return {};
  }
  if (device.is_multifunction()) return {};
  for (unsigned other = 1; other < kFunctions; ++other)
    if (slots_[make_devfn(slot, other)] != nullptr)
      return fail(
          "PCI: {}: {:x}.0 would be a single-function device, but {:x}.{} is in use already", name,
          slot, slot, other);
  return {};
}

Result<> PciBus::assign_slot(Device& plugged) {
  auto* device = dynamic_cast<PciDevice*>(&plugged);
  RHEA_ASSERT(device != nullptr);
  if (device->addr_ >= 0) {
    const auto devfn = static_cast<u8>(device->addr_);
    TRY(check_slot(*device, devfn));
    device->devfn_ = devfn;
    slots_[devfn] = device;
    return {};
  }
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    const unsigned devfn = make_devfn(slot, 0);
    if (!check_slot(*device, devfn)) continue;
    device->devfn_ = static_cast<u8>(devfn);
    slots_[devfn] = device;
    return {};
  }
  return fail("PCI: no slot available for {}, all are in use", device->type().name);
}

void PciBus::release_slot(Device& plugged) {
  if (FaultTable::find(&plugged) != nullptr)
    plugged.machine().service<FaultTable>().forget(plugged);
  std::ranges::replace(slots_, dynamic_cast<PciDevice*>(&plugged),
                       static_cast<PciDevice*>(nullptr));
}

void PciBus::set_intx(const PciDevice& device, unsigned pin, bool level) {
  const unsigned link = map_irq_(device.slot(), pin) & 7;
  unsigned& count = link_counts_[link];
  RHEA_ASSERT(level || count > 0);
  const unsigned before = count;
  count = level ? count + 1 : count - 1;
  hw::pci_intx(device, device.devfn(), link, level);
  if ((before == 0) != (count == 0)) set_irq_(link, count != 0);
}

namespace {
const RegisterType<PciBus> registration;
}  // namespace

}  // namespace rhea
