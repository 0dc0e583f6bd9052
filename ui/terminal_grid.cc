// SPDX-License-Identifier: GPL-2.0-or-later
// Minimal changes of a terminal's picture, as ECMA-48 sequences.
#include "ui/terminal_grid.h"

#include "ui/cp437.h"

#include <fmt/format.h>

#include <iterator>

namespace rhea::ui {
namespace {

// Skipping a few unchanged cells costs more than writing them again.
constexpr int kWorthJumping = 5;

void append_color(std::string& out, TerminalColor color, bool background) {
  const u32 v = color.value;
  const auto to = std::back_inserter(out);
  if (color.is_rgb())
    fmt::format_to(to, ";{};2;{};{};{}", background ? 48 : 38, v >> 16 & 0xff, v >> 8 & 0xff,
                   v & 0xff);
  else
    fmt::format_to(to, ";{}", v + (v < 8 ? 30 : 90 - 8) + (background ? 10 : 0));
}

void move_to(std::string& out, int x, int y) {
  fmt::format_to(std::back_inserter(out), "\x1b[{};{}H", y + 1, x + 1);
}

}  // namespace

void TerminalGrid::put(int x, int y, std::string_view text) {
  for (std::size_t i = 0; i < text.size() && x + static_cast<int>(i) < columns; ++i)
    at(x + static_cast<int>(i), y).character = static_cast<unsigned char>(text[i]);
}

std::string TerminalPainter::paint(const TerminalGrid& grid) {
  const bool fresh = !known_ || grid.columns != shown_.columns || grid.rows != shown_.rows;
  if (!fresh && grid == shown_) return {};
  std::string out = "\x1b[?2026h\x1b[?25l";  // one update, no cursor flying about
  if (fresh) {
    out += "\x1b[0m\x1b[37;40m\x1b[2J";
    shown_ = TerminalGrid(grid.columns, grid.rows);
    style_ = {};
  }
  for (int y = 0; y < grid.rows; ++y) paint_row(out, grid, y);
  if (grid.cursor_x >= 0 && grid.cursor_y >= 0) {
    move_to(out, grid.cursor_x, grid.cursor_y);
    out += "\x1b[?25h";
  }
  out += "\x1b[?2026l";
  shown_ = grid;
  known_ = true;
  return out;
}

void TerminalPainter::paint_row(std::string& out, const TerminalGrid& grid, int y) {
  int at = -kWorthJumping - 1;  // the column where the terminal would write next, if on this row
  for (int x = 0; x < grid.columns; ++x) {
    const TerminalCell& cell = grid.at(x, y);
    if (cell == shown_.at(x, y)) continue;
    if (x - at > kWorthJumping || at < 0) {
      move_to(out, x, y);
      at = x;
    }
    for (; at <= x; ++at) {
      set_style(out, grid.at(at, y));
      append_utf8(out, grid.at(at, y).character);
    }
  }
}

void TerminalPainter::set_style(std::string& out, const TerminalCell& cell) {
  if (cell.foreground == style_.foreground && cell.background == style_.background &&
      cell.blink == style_.blink)
    return;
  out += "\x1b[0";
  append_color(out, cell.foreground, false);
  append_color(out, cell.background, true);
  out += cell.blink ? ";5m" : "m";
  style_ = cell;
}

}  // namespace rhea::ui
