// SPDX-License-Identifier: GPL-2.0-or-later
// The EEPROM beside network cards.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/util/types.h"

#include <array>
#include <span>

namespace rhea::hw {

/// A 93C46 on a Microwire bus: 64 words of 16 bits, read, written and erased one by one or all
/// together. What the words mean is the card's affair.
class Eeprom93c46 {
 public:
  static constexpr unsigned kWords = 64;
  static void describe(StateFields<Eeprom93c46>& s);

  /// As it leaves the factory.
  void program(std::span<const u16, kWords> words);
  u16 word(unsigned address) const { return words_[address % kWords]; }

  /// The wires: select, clock, data in; what the data out line shows then.
  void drive(bool select, bool clock, bool data);
  bool data_out() const { return data_out_; }
  /// The wires at rest; what is stored stays.
  void reset();

 private:
  enum class Phase : u8 { Idle, Command, Reading, Writing, WritingAll, Done };
  void clock_in(bool bit);
  void run(unsigned opcode, unsigned address);
  void finish_write();

  std::array<u16, kWords> words_{};
  Phase phase_{};
  bool select_{false}, clock_{false}, data_out_{true};
  bool write_enabled_{false};
  u16 shift_{0};  ///< bits of the command or word so far
  u8 bits_{0};    ///< how many
  u8 address_{0};
};

}  // namespace rhea::hw
