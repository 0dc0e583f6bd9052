// SPDX-License-Identifier: GPL-2.0-or-later
// The ISA bus and the base class of the devices on it.
#include "rhea/hw/isa.h"
#include "rhea/softmmu/registers.h"

namespace rhea {

void IsaDevice::add_port(u16 port, Region& region) {
  isa().io().add(port, region, 0);
  mapped_.push_back(&region);
}

void IsaDevice::add_memory(u64 address, Region& region, int priority) {
  isa().memory().add(address, region, priority);
  mapped_.push_back(&region);
}

Result<> IsaDevice::connect_isa_irq(IrqOutput& output, unsigned n) {
  if (n > 15) return fail("{}: ISA IRQ {} does not exist (0 to 15)", type().name, n);
  output.connect(isa().irq(n));
  connected_.push_back(&output);
  return {};
}

Result<> IsaDevice::map_registers() {
  for (const TypeInfo* t : type().lineage())
    for (const DeclaredBank& declared : t->banks) {
      if (!declared.port) continue;
      auto& bank = *static_cast<RegisterBank*>(declared.region(*this));
      bank.init(*this, declared.shown_bytes ? declared.shown_bytes(*this) : 0);
      add_port(static_cast<u16>(declared.port(*this)), bank);
    }
  return {};
}

void IsaDevice::release() {
  for (IrqOutput* output : connected_) {
    output->lower();
    output->connect({});
  }
  connected_.clear();
  for (Region* region : mapped_) region->reset();
  mapped_.clear();
}

namespace {
const RegisterType<IsaBus> bus_registration;
const RegisterAbstractType<IsaDevice, Device> device_registration;
}  // namespace

}  // namespace rhea
