// SPDX-License-Identifier: GPL-2.0-or-later
// The registers and the priority logic of one 8259A, without its wiring.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/softmmu/interrupt_status.h"
#include "rhea/util/types.h"

#include <optional>

namespace rhea::hw {

/// One 8259A in x86 mode (datasheet 231468). Every call leaves pending() up to date.
class I8259Chip {
 public:
  /// The master's input that a slave drives.
  static constexpr unsigned kCascadePin = 2;
  /// The vector given when nothing is pending at the INTA cycle.
  static constexpr unsigned kSpuriousPin = 7;

  static void describe(StateFields<I8259Chip>& s);

  /// Registers as after power-on; the pins stay at the levels their drivers hold.
  void reset();
  void set_pin(unsigned pin, bool level);
  /// The slave's INT output, on the master: its request is withdrawn when the slave has none.
  void set_cascade(bool level);
  u8 read(unsigned offset);
  void write(unsigned offset, u8 value);

  /// The input that interrupts now, if any.
  std::optional<unsigned> pending() const;
  /// The INTA cycle for `pin`.
  void acknowledge(unsigned pin);
  u8 vector(unsigned pin) const { return static_cast<u8>(vector_base_ | pin); }
  /// ICW1 said that there is no other chip.
  bool single() const { return single_; }

  u8 level_pins() const { return level_pins_; }
  /// For those who look.
  PicRegisters registers() const {
    return {.irr = irr_,
            .imr = imr_,
            .isr = isr_,
            .highest_priority_pin = static_cast<u8>((lowest_pin_ + 1) & 7),
            .vector_base = vector_base_,
            .read_isr = read_isr_,
            .level_pins = level_pins_,
            .special_fully_nested = special_fully_nested_};
  }
  /// Which inputs are level-triggered.
  void set_level_pins(u8 pins);

 private:
  enum class Step : u8 { Ready, Icw2, Icw3, Icw4 };

  void start_initialisation(u8 icw1);
  void write_command(u8 icw);
  void operate(u8 ocw2);
  void select(u8 ocw3);
  std::optional<unsigned> highest(u8 pins) const;
  /// Inputs whose request is the level of the pin and not latched.
  u8 following() const { return static_cast<u8>(level_pins_ | cascade_pins_); }

  u8 irr_{0};
  u8 imr_{0};
  u8 isr_{0};
  u8 lines_{0};
  u8 level_pins_{0};
  u8 cascade_pins_{0};
  u8 vector_base_{0};
  u8 lowest_pin_{7};  ///< the input of the lowest priority
  Step step_{Step::Ready};
  bool single_{false};
  bool needs_icw4_{false};
  bool auto_eoi_{false};
  bool rotate_on_auto_eoi_{false};
  bool special_fully_nested_{false};
  bool special_mask_{false};
  bool poll_{false};
  bool read_isr_{false};
};

}  // namespace rhea::hw
