// SPDX-License-Identifier: GPL-2.0-or-later
// The Generic Event Device of boards with hardware-reduced ACPI.
#include "hw/acpi/generic_events.h"

#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"

namespace rhea::hw {
namespace {

constexpr u64 kControlBytes = 3;
constexpr u8 kSleepEnable = 1 << 5, kSleepTypeMask = 7, kOff = 5;
constexpr unsigned kSleepTypeShift = 2;

}  // namespace

void GenericEvents::describe(Schema<GenericEvents>& s) {
  s.help("ACPI's events, power-off and reset without a chipset");
  s.board_only();
  s.registers(&GenericEvents::selector_, [](auto reg) {
    return reg.bank({.name = "acpi-ged", .sizes = {.min = 4, .max = 4}},
                    reg("selector", 0, &GenericEvents::events_)
                        .read_only()
                        .read_clears(kPowerButton)
                        .bits(kPowerButton)
                        .field("POWER_BUTTON", kPowerButton));
  });
  s.registers(&GenericEvents::control_, [](auto reg) {
    return reg.bank({.name = "acpi-ged-regs",
                     .size = kControlBytes,
                     .sizes = {.min = 1, .max = 1},
                     .elsewhere = 0},
                    reg("sleep_control", 0, 1)
                        .write_by(&GenericEvents::write_sleep)
                        .field("SLP_TYP", kSleepTypeMask << kSleepTypeShift)
                        .field("SLP_EN", kSleepEnable),
                    reg("sleep_status", 1, 1).constant(0),
                    reg("reset", 2, 1).write_by(&GenericEvents::write_reset));
  });
}

Result<> GenericEvents::realize() {
  selector_.init(*this);
  control_.init(*this);
  machine().system_memory().add(kSelectorAt, selector_);
  machine().system_memory().add(kControlAt, control_);
  machine().on_powerdown(
      [this] {
        events_ |= kPowerButton;
        irq_.pulse();
      },
      this);
  return {};
}

void GenericEvents::write_sleep(u8 value) {
  const unsigned type = value >> kSleepTypeShift & kSleepTypeMask;
  if ((value & kSleepEnable) != 0 && type == kOff)
    machine().request_shutdown(ShutdownCause::GuestShutdown);
}

void GenericEvents::write_reset(u8 value) {
  if (value == kResetValue) machine().request_reset(ShutdownCause::GuestReset);
}

namespace {
const RegisterType<GenericEvents> registration;
}  // namespace

}  // namespace rhea::hw
