// SPDX-License-Identifier: GPL-2.0-or-later
// The registers of the IBM VGA: sequencer, CRT controller, graphics and attribute controllers, DAC.
#pragma once

#include "rhea/qom/state.h"

#include <array>

namespace rhea::hw {

/// Pure register logic, by port. What the bits mean is in IBM's "VGA subsystem" technical reference
/// (1992).
struct VgaRegisters {
  u8 misc{};  ///< bit 0: the CRT controller is at 0x3d4, else at 0x3b4
  u8 feature{};
  u8 seq_index{};
  std::array<u8, 8> seq{};
  u8 gfx_index{};
  std::array<u8, 16> gfx{};
  u8 crtc_index{};
  std::array<u8, 0x19> crtc{};
  u8 attr_index{};   ///< bit 5: the screen is on
  bool attr_data{};  ///< the next write to 0x3c0 is data
  std::array<u8, 0x15> attr{};
  u8 dac_mask{0xff};
  u8 dac_index{};                 ///< the one address register behind 0x3c7 and 0x3c8
  u8 dac_component{};             ///< 0..2: which of red, green, blue comes next
  bool dac_reading{};             ///< 0x3c7 was written last
  bool dac_8bit{};                ///< components have eight bits (Bochs VBE), not six
  std::array<u8, 3> dac_latch{};  ///< the colour on its way in or out
  std::array<u8, 768> dac{};

  static void describe(StateFields<VgaRegisters>& s);

  void reset() { *this = {}; }
  /// Ports 0x3b0 to 0x3df; 8 bits. The input status (0x3ba, 0x3da) has its retrace bits from
  /// elsewhere.
  u8 read(u16 port);
  void write(u16 port, u8 value);

  bool color() const { return (misc & 1) != 0; }
  bool screen_on() const { return (attr_index & 0x20) != 0 && (seq[1] & 0x20) == 0; }
  bool chain4() const { return (seq[4] & 8) != 0; }
  /// Text, and CGA's graphics modes: even addresses go to planes 0 and 2, odd ones to 1 and 3.
  bool odd_even_writes() const { return (seq[4] & 4) == 0; }
  bool odd_even_reads() const { return (gfx[5] & 0x10) != 0; }

 private:
  bool decodes(u16 port) const;
  void address_dac(u8 index, bool read);
  void fetch_dac();
  u8 read_dac();
  void write_dac(u8 value);
  void write_attribute(u8 value);
  void write_crtc(u8 value);
};

}  // namespace rhea::hw
