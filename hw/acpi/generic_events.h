// SPDX-License-Identifier: GPL-2.0-or-later
// The Generic Event Device of boards with hardware-reduced ACPI.
#pragma once

#include "rhea/qom/device.h"
#include "rhea/softmmu/registers.h"

namespace rhea::hw {

/// Spec: ACPI 6.4, 5.6.9 (the device), 4.8.3.6 and 4.8.3.7 (reset, sleep control and status): at
/// 0xfea00000 which events there were, at 0xfea00200 the registers by which a guest switches off
/// (S5 alone) or resets; an edge on its output for each event. The only event is the power button
/// (system_powerdown). State: complete. Missing: events of hot-plugged memory, sleep but S5.
class GenericEvents final : public Device {
 public:
  static constexpr std::string_view kName = "acpi-ged-x86";
  static constexpr u64 kSelectorAt = 0xfea0'0000, kControlAt = 0xfea0'0200;
  static constexpr unsigned kGsi = 9;
  static constexpr u8 kResetValue = 0x42;
  static constexpr u32 kPowerButton = 2;
  static void describe(Schema<GenericEvents>& s);
  GenericEvents() { init_gpio_out("", irq_); }

 protected:
  Result<> realize() override;

 private:
  void write_sleep(u8 value);
  void write_reset(u8 value);

  u32 events_{0};  ///< that no driver has seen
  IrqOutput irq_;
  RegisterBank selector_, control_;
};

}  // namespace rhea::hw
