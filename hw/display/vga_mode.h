// SPDX-License-Identifier: GPL-2.0-or-later
// What the registers make the screen show: mode, geometry, colours.
#pragma once

#include "hw/display/bochs_vbe.h"
#include "hw/display/vga_registers.h"

#include <array>

namespace rhea::hw {

/// Everything but memory and colours that the picture depends on; another one means drawing all
/// again.
struct ScreenMode {
  enum class Kind : u8 {
    Blank,
    Text,
    Planar,       ///< sixteen colours, a bit from each plane
    Interleaved,  ///< CGA's four colours
    Packed,       ///< 256 colours
    Linear,       ///< Bochs VBE
  };
  Kind kind{};
  int width{}, height{};

  u32 columns{};  ///< character clocks shown in a line, each fetching one unit
  u8 char_dots{8};
  u8 dot_repeat{1};
  u32 start{};  ///< unit, from the start address
  u32 row_units{};
  u32 line_compare{};  ///< after this line the screen goes on at unit 0
  u8 row_lines{1};     ///< lines of a character row
  u8 first_line{};     ///< of them, cut off the first row
  bool line_doubling{};
  u8 byte_pan{}, dot_pan{};
  bool pan_split{};            ///< the part below the split stands still
  u8 row_in_address{};         ///< bits 0 and 1: lines select banks of memory as on the CGA
  u8 address_shift{};          ///< for that: unit to address, word mode 1
  std::array<u32, 2> fonts{};  ///< units; by attribute bit 3
  u8 underline{};
  u8 attribute_mode{};

  VbeMode linear;

  friend bool operator==(const ScreenMode&, const ScreenMode&) = default;
};
ScreenMode screen_mode(const VgaRegisters& regs, const BochsVbe& vbe);

/// Colours as x8r8g8b8.
struct Palette {
  std::array<u32, 256> dac{};
  std::array<u32, 16> attr{};  ///< through the attribute controller's plane enable and registers
  friend bool operator==(const Palette&, const Palette&) = default;
};
Palette screen_palette(const VgaRegisters& regs);

/// Goes down the screen line by line, as the CRT controller counts.
class LineCounter {
 public:
  explicit LineCounter(const ScreenMode& mode)
      : mode_(&mode), unit_(mode.start + mode.byte_pan), row_line_(mode.first_line) {}

  u32 unit() const { return unit_ & 0xffff; }  ///< of the row's first character
  u32 row() const { return row_; }             ///< counts character rows from the top
  u8 row_line() const { return row_line_; }
  bool below_split() const { return below_split_; }
  u8 dot_pan() const { return below_split_ && mode_->pan_split ? 0 : mode_->dot_pan; }
  void next();

 private:
  const ScreenMode* mode_;
  u32 line_{0};
  u32 row_{0};
  u32 unit_;
  u8 row_line_;
  bool second_{false};
  bool below_split_{false};
};

}  // namespace rhea::hw
