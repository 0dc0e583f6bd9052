// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/i2c/i2c_bus.h"

#include <algorithm>

namespace rhea::hw {

I2cDevice* I2cBus::find(unsigned address) const {
  for (Device* device : devices())
    if (auto& one = static_cast<I2cDevice&>(*device); one.is_realized() && one.address() == address)
      return &one;
  return nullptr;
}

Result<> I2cBus::assign_slot(Device& device) {
  const unsigned address = static_cast<I2cDevice&>(device).address();
  if (find(address) != nullptr) return fail("there is a device at address {:#x} already", address);
  return {};
}

void I2cDevice::describe(Schema<I2cDevice>& s) {
  constexpr unsigned kMostAddress = 0x7f;
  s.property("address", &I2cDevice::address_, u8{0})
      .range(0, kMostAddress)
      .help("seven-bit address on the bus");
}

namespace {
const RegisterType<I2cBus> bus_registration;
const RegisterAbstractType<I2cDevice, Device> device_registration;
}  // namespace

}  // namespace rhea::hw
