// SPDX-License-Identifier: GPL-2.0-or-later
// The two-wire bus between a board's small chips.
#pragma once

#include "rhea/qom/device.h"
#include "rhea/qom/registry.h"

#include <span>

namespace rhea::hw {

class I2cDevice;

/// I2C as SMBus uses it (System Management Bus specification 2.0): one master, devices by their
/// seven-bit addresses, whole messages that take no time.
class I2cBus final : public Bus {
 public:
  static constexpr std::string_view kName = "i2c-bus";
  std::string_view kind() const override { return kName; }
  /// Who acknowledges the address; nullptr: nobody.
  I2cDevice* find(unsigned address) const;

 protected:
  Result<> assign_slot(Device& device) override;
};

/// Base class: what is on the bus. Its address is the property "address".
class I2cDevice : public Device {
 public:
  static constexpr std::string_view kName = "i2c-slave";
  static constexpr std::string_view kBus = I2cBus::kName;
  using Extendable = I2cDevice;
  static void describe(Schema<I2cDevice>& s);

  unsigned address() const { return address_; }
  /// The bytes of a message behind the address; none where the master only asks whether somebody is
  /// there. What the device does not take is lost.
  virtual void receive(std::span<const u8> bytes) = 0;
  /// The next byte that the master reads.
  virtual u8 send() = 0;

 private:
  u8 address_{};
};

}  // namespace rhea::hw
