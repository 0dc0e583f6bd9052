// SPDX-License-Identifier: GPL-2.0-or-later
// Mode, palette and line counting from the VGA's registers.
#include "hw/display/vga_mode.h"

namespace rhea::hw {
namespace {

void set_vertical(ScreenMode& mode, const VgaRegisters& regs) {
  const auto& cr = regs.crtc;
  const u32 overflow = cr[7];
  mode.height =
      static_cast<int>((cr[0x12] | (overflow >> 1 & 1) << 8 | (overflow >> 6 & 1) << 9) + 1);
  mode.line_compare = cr[0x18] | (overflow >> 4 & 1) << 8 | (cr[9] >> 6 & 1u) << 9;
  mode.row_lines = (cr[9] & 0x1f) + 1;
  mode.first_line = cr[8] & 0x1f;
  mode.line_doubling = (cr[9] & 0x80) != 0;
}

void set_addressing(ScreenMode& mode, const VgaRegisters& regs) {
  const auto& cr = regs.crtc;
  mode.columns = cr[1] + 1u;
  mode.start = static_cast<u32>(cr[0x0c] << 8 | cr[0x0d]);
  mode.row_units = cr[0x13] * 2u;
  mode.byte_pan = cr[8] >> 5 & 3;
  mode.row_in_address = ~cr[0x17] & 3;
  mode.address_shift = (cr[0x17] & 0x40) != 0 ? 0 : 1;
}

// In nine-dot modes 8 means no shift and 0 to 7 one dot more than they say.
u8 text_pan(u8 pan, u8 char_dots) {
  if (char_dots == 8) return pan & 7;
  return pan >= 8 ? 0 : pan + 1;
}

void set_text(ScreenMode& mode, const VgaRegisters& regs) {
  const u8 select = regs.seq[3];
  const auto font = [](unsigned low, unsigned high) {
    return (low & 3) * 0x4000u + (high & 1) * 0x2000u;
  };
  mode.kind = ScreenMode::Kind::Text;
  mode.char_dots = (regs.seq[1] & 1) != 0 ? 8 : 9;
  mode.fonts = {font(select, select >> 4), font(select >> 2, select >> 5)};
  mode.underline = regs.crtc[0x14] & 0x1f;
  mode.dot_pan = text_pan(regs.attr[0x13] & 15, mode.char_dots);
}

void set_graphics(ScreenMode& mode, const VgaRegisters& regs) {
  const unsigned shift = regs.gfx[5] >> 5 & 3;
  mode.kind = shift == 0   ? ScreenMode::Kind::Planar
              : shift == 1 ? ScreenMode::Kind::Interleaved
                           : ScreenMode::Kind::Packed;
  mode.dot_pan = regs.attr[0x13] & 7;
}

u32 pack(u32 r, u32 g, u32 b) { return r << 16 | g << 8 | b; }

}  // namespace

ScreenMode screen_mode(const VgaRegisters& regs, const BochsVbe& vbe) {
  ScreenMode mode;
  if (!regs.screen_on()) return mode;
  if (vbe.enabled()) {
    mode.kind = ScreenMode::Kind::Linear;
    mode.linear = vbe.mode();
    mode.width = static_cast<int>(mode.linear.width);
    mode.height = static_cast<int>(mode.linear.height);
    return mode;
  }
  set_vertical(mode, regs);
  set_addressing(mode, regs);
  mode.attribute_mode = regs.attr[0x10];
  mode.pan_split = (mode.attribute_mode & 0x20) != 0;
  mode.dot_repeat = (regs.seq[1] & 8) != 0 ? 2 : 1;
  if ((regs.gfx[6] & 1) == 0)
    set_text(mode, regs);
  else
    set_graphics(mode, regs);
  mode.width = static_cast<int>(mode.columns * mode.char_dots * mode.dot_repeat);
  return mode;
}

Palette screen_palette(const VgaRegisters& regs) {
  Palette palette;
  const auto component = [&](u8 value) -> u32 {
    if (regs.dac_8bit) return value;
    const u32 six = value & 0x3f;
    return six << 2 | six >> 4;
  };
  const auto color = [&](unsigned index) {
    const u8* rgb = &regs.dac[std::size_t{index & regs.dac_mask} * 3];
    return pack(component(rgb[0]), component(rgb[1]), component(rgb[2]));
  };
  for (unsigned i = 0; i < 256; ++i) palette.dac[i] = color(i);
  const unsigned select = regs.attr[0x14];
  const bool four_high = (regs.attr[0x10] & 0x80) != 0;
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned low = regs.attr[i & regs.attr[0x12]] & 0x3f;
    palette.attr[i] = color(four_high ? (select & 15) << 4 | (low & 15) : (select & 12) << 4 | low);
  }
  return palette;
}

void LineCounter::next() {
  if (line_++ == mode_->line_compare) {
    below_split_ = true;
    ++row_;
    unit_ = mode_->pan_split ? 0 : mode_->byte_pan;
    row_line_ = 0;
    second_ = false;
    return;
  }
  if (mode_->line_doubling && !second_) {
    second_ = true;
    return;
  }
  second_ = false;
  if (row_line_ + 1 == mode_->row_lines) {
    row_line_ = 0;
    unit_ += mode_->row_units;
    ++row_;
  } else {
    row_line_ = (row_line_ + 1) & 0x1f;
  }
}

}  // namespace rhea::hw
