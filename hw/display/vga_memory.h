// SPDX-License-Identifier: GPL-2.0-or-later
// How the CPU sees video memory through the window below 1 MiB.
#pragma once

#include "hw/display/vga_registers.h"

namespace rhea::hw {

/// Video memory is kept with its four planes interleaved: byte 4 * unit + plane. Chained modes are
/// packed into it without the gaps that the IBM VGA leaves, so that mode 13h and the linear modes
/// are plain memory.
struct VideoMemory {
  u8* bytes{};
  u32 unit_mask{};  ///< units - 1; units are a power of two
  u32 bank{};       ///< added to addresses: Bochs VBE's bank
};

/// Where the window lies within 0xa0000..0xbffff.
struct VgaWindow {
  u32 base{};
  u32 size{};
  friend bool operator==(const VgaWindow&, const VgaWindow&) = default;
};
VgaWindow vga_window(const VgaRegisters& regs);

/// Modes in which the window behaves as plain memory.
enum class PlainWindow : u8 {
  No,
  Packed,  ///< chain-4: bytes of video memory in order
  Text,    ///< odd/even on planes 0 and 1: character and attribute in turn
};
PlainWindow plain_window(const VgaRegisters& regs);

/// The graphics controller: read modes, write modes, latches.
struct VgaMemoryAccess {
  u32 latch{};

  static void describe(StateFields<VgaMemoryAccess>& s) {
    s.state("latch", &VgaMemoryAccess::latch);
  }

  /// `address` counts from the start of the window.
  u8 read(const VgaRegisters& regs, const VideoMemory& memory, u32 address);
  /// Returns the unit that was written.
  u32 write(const VgaRegisters& regs, const VideoMemory& memory, u32 address, u8 value) const;

 private:
  u32 modify(const VgaRegisters& regs, u8 value) const;
};

}  // namespace rhea::hw
