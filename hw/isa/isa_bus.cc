// SPDX-License-Identifier: GPL-2.0-or-later
// The ISA bus and the base class of the devices on it.
#include "rhea/hw/isa.h"

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

void IsaDevice::unrealize() {
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
