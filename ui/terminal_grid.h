// SPDX-License-Identifier: GPL-2.0-or-later
// What a character terminal shows, and the escape sequences that change it from one picture to the
// next.
#pragma once

#include "rhea/util/types.h"

#include <string>
#include <string_view>
#include <vector>

namespace rhea::ui {

/// A colour of the terminal: one of its own sixteen, or red, green and blue.
struct TerminalColor {
  u32 value{};
  static constexpr TerminalColor ansi(unsigned n) { return {n & 15}; }
  static constexpr TerminalColor rgb(u32 x8r8g8b8) { return {(x8r8g8b8 & 0xffffff) | 0x1000000}; }
  bool is_rgb() const { return (value & 0x1000000) != 0; }
  friend bool operator==(TerminalColor, TerminalColor) = default;
};

struct TerminalCell {
  char32_t character{U' '};
  TerminalColor foreground{TerminalColor::ansi(7)}, background{TerminalColor::ansi(0)};
  bool blink{};
  friend bool operator==(const TerminalCell&, const TerminalCell&) = default;
};

struct TerminalGrid {
  TerminalGrid() = default;
  TerminalGrid(int c, int r)
      : columns(c), rows(r), cells(static_cast<std::size_t>(c) * static_cast<std::size_t>(r)) {}
  TerminalCell& at(int x, int y) { return cells[index(x, y)]; }
  const TerminalCell& at(int x, int y) const { return cells[index(x, y)]; }
  /// Writes ASCII text, cut at the right edge.
  void put(int x, int y, std::string_view text);

  int columns{}, rows{};
  std::vector<TerminalCell> cells;
  int cursor_x{-1}, cursor_y{-1};  ///< -1: hidden
  friend bool operator==(const TerminalGrid&, const TerminalGrid&) = default;

 private:
  std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(columns) +
           static_cast<std::size_t>(x);
  }
};

/// Remembers what the terminal shows.
class TerminalPainter {
 public:
  /// The bytes that turn what is shown into `grid`; empty when nothing changed.
  std::string paint(const TerminalGrid& grid);
  /// Somebody else wrote on the terminal: the next paint starts from scratch.
  void forget() { known_ = false; }

 private:
  void paint_row(std::string& out, const TerminalGrid& grid, int y);
  void set_style(std::string& out, const TerminalCell& cell);

  bool known_{false};
  TerminalGrid shown_;
  TerminalCell style_;
};

}  // namespace rhea::ui
