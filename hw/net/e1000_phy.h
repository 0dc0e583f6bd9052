// SPDX-License-Identifier: GPL-2.0-or-later
// The transceiver of Intel's gigabit cards.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/util/types.h"

#include <array>

namespace rhea::hw {

/// Marvell's 88E1011 (IEEE 802.3 clause 22 and its own registers), with a partner that can do all
/// speeds as long as there is a cable.
class E1000Phy {
 public:
  static void describe(StateFields<E1000Phy>& s);

  /// Power on: negotiated, if there is a cable.
  void reset(u16 id_low, bool cable);
  /// Whether the partner is there. Where it comes, they negotiate.
  void set_cable(bool cable);
  bool cable() const { return cable_; }

  /// Through MDIC. Reads may clear bits.
  u16 read(unsigned reg);
  void write(unsigned reg, u16 value);
  /// As by its reset pin: settings go, and it negotiates.
  void pull_reset();
  /// A negotiation is under way: finish_negotiation() when it has taken its time.
  bool negotiating() const { return negotiating_; }
  void finish_negotiation();

  bool link_up() const;
  bool loops_back() const;

 private:
  static constexpr unsigned kRegisters = 32;
  void begin_negotiation();
  void set_defaults();
  void link_may_have_changed();

  std::array<u16, kRegisters> regs_{};
  bool cable_{false};
  bool negotiating_{false};
  bool was_up_{false};    ///< as last noted in the interrupt status
  bool was_down_{false};  ///< since the status register was read
};

}  // namespace rhea::hw
