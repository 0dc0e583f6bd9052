// SPDX-License-Identifier: GPL-2.0-or-later
// Text modes: cells, fonts from plane 2, cursor, blinking.
#pragma once

#include "hw/display/vga_screen.h"

#include <vector>

namespace rhea::hw {

/// A stripe of cells as the lines of the screen cut it.
struct TextRow {
  int y{}, lines{};
  u8 first_line{};  ///< of the characters
  u8 dot_pan{};
  u32 unit{};  ///< first cell
  friend bool operator==(const TextRow&, const TextRow&) = default;
};
std::vector<TextRow> text_rows(const ScreenMode& mode);

/// Shape and place of the cursor.
struct TextCursor {
  u32 unit{};
  u8 first_line{}, last_line{};
  bool enabled{};
  friend bool operator==(const TextCursor&, const TextCursor&) = default;
};
TextCursor text_cursor(const VgaRegisters& regs);

TextScreen text_screen(const ScreenMode& mode, const VgaRegisters& regs,
                       const ScreenMemory& memory);

/// Draws the cells that changed since the last time.
class TextRenderer {
 public:
  struct Input {
    const ScreenMode& mode;
    const Palette& palette;
    const VgaRegisters& regs;
    const ScreenMemory& memory;
    i64 now_ns;
  };
  void draw(Console& console, const Input& input, bool full);

 private:
  // Two fonts of 256 characters with 32 lines.
  using Fonts = std::array<u8, std::size_t{2} * 256 * 32>;
  bool load_fonts(const Input& input);
  u32 cell_key(const Input& input, u32 unit) const;
  void draw_row(Console& console, const Input& input, const TextRow& row, std::span<u32> keys);
  void draw_cell(const Canvas& canvas, const Input& input, const TextRow& row, u32 column,
                 u32 key) const;
  u32 cell_dots(const ScreenMode& mode, u32 key, u8 line) const;

  Fonts fonts_{};
  TextCursor cursor_;
  std::vector<TextRow> rows_;
  std::vector<u32> keys_;  ///< what is drawn in each cell, row by row
};

}  // namespace rhea::hw
