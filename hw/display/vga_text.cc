// SPDX-License-Identifier: GPL-2.0-or-later
// Drawing text: only cells whose contents changed.
#include "hw/display/vga_text.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr std::size_t kFontLines = 32;
constexpr std::size_t kFontBytes = 256 * kFontLines;
constexpr u32 kUnitMask = 0xffff;
// Eight and sixteen frames.
constexpr i64 kCursorBlinkNs = 133'000'000;
constexpr i64 kTextBlinkNs = 267'000'000;

constexpr u8 kLineGraphics = 0x04, kBlink = 0x08;  // attribute mode control

// A cell's key: character, attribute, and what else shows in it.
constexpr u32 kKeyCursor = 1u << 16, kKeyHidden = 1u << 17;
constexpr u32 kNoKey = ~0u;

bool first_half(i64 now_ns, i64 half_ns) { return (now_ns / half_ns & 1) == 0; }

}  // namespace

std::vector<TextRow> text_rows(const ScreenMode& mode) {
  std::vector<TextRow> rows;
  LineCounter at(mode);
  u32 row = ~0u;
  for (int y = 0; y < mode.height; ++y, at.next()) {
    if (at.row() != row)
      rows.push_back({.y = y,
                      .lines = 0,
                      .first_line = at.row_line(),
                      .dot_pan = at.dot_pan(),
                      .unit = at.unit()});
    row = at.row();
    ++rows.back().lines;
  }
  return rows;
}

TextCursor text_cursor(const VgaRegisters& regs) {
  const auto& cr = regs.crtc;
  const u8 first = cr[0x0a] & 0x1f;
  const u8 last = cr[0x0b] & 0x1f;
  return {.unit = static_cast<u32>(cr[0x0e] << 8 | cr[0x0f]),
          .first_line = first,
          .last_line = last,
          .enabled = (cr[0x0a] & 0x20) == 0 && first <= last && first <= (cr[9] & 0x1f)};
}

TextScreen text_screen(const ScreenMode& mode, const VgaRegisters& regs,
                       const ScreenMemory& memory) {
  TextScreen screen;
  if (mode.kind != ScreenMode::Kind::Text) return screen;
  const TextCursor cursor = text_cursor(regs);
  const auto rows = text_rows(mode);
  screen.blink = (mode.attribute_mode & kBlink) != 0;
  screen.columns = static_cast<int>(mode.columns);
  screen.rows = static_cast<int>(rows.size());
  screen.cells.reserve(rows.size() * mode.columns);
  for (int y = 0; const TextRow& row : rows) {
    for (u32 x = 0; x < mode.columns; ++x) {
      const u32 unit = (row.unit + x) & kUnitMask;
      const u32 bytes = memory.unit(unit);
      screen.cells.push_back(
          {.character = static_cast<u8>(bytes), .attribute = static_cast<u8>(bytes >> 8)});
      if (!cursor.enabled || unit != cursor.unit || screen.cursor_y >= 0) continue;
      screen.cursor_x = static_cast<int>(x);
      screen.cursor_y = y;
    }
    ++y;
  }
  return screen;
}

// Gathers the glyphs of both fonts; true when one changed.
bool TextRenderer::load_fonts(const Input& input) {
  bool changed = false;
  for (std::size_t font = 0; font < 2; ++font)
    for (std::size_t i = 0; i < kFontBytes; ++i) {
      const u8 byte = input.memory.bytes[((input.mode.fonts[font] + i) & kUnitMask) * 4 + 2];
      u8& known = fonts_[font * kFontBytes + i];
      changed |= byte != known;
      known = byte;
    }
  return changed;
}

void TextRenderer::draw(Console& console, const Input& input, bool full) {
  auto rows = text_rows(input.mode);
  const std::size_t cells = input.mode.columns + 1;  // panning shows a part of one more
  const bool fonts_changed = load_fonts(input);
  if (full || fonts_changed || rows != rows_) keys_.assign(rows.size() * cells, kNoKey);
  rows_ = std::move(rows);
  const TextCursor cursor = text_cursor(input.regs);
  if (cursor != cursor_)
    for (u32& key : keys_)
      if ((key & kKeyCursor) != 0) key = kNoKey;
  cursor_ = cursor;
  for (std::size_t y = 0; y < rows_.size(); ++y)
    draw_row(console, input, rows_[y], std::span(keys_).subspan(y * cells, cells));
}

u32 TextRenderer::cell_key(const Input& input, u32 unit) const {
  u32 key = input.memory.unit(unit) & 0xffff;
  if (cursor_.enabled && unit == cursor_.unit && first_half(input.now_ns, kCursorBlinkNs))
    key |= kKeyCursor;
  const bool blinks = (input.mode.attribute_mode & kBlink) != 0 && (key & 0x8000) != 0;
  if (blinks && !first_half(input.now_ns, kTextBlinkNs)) key |= kKeyHidden;
  return key;
}

void TextRenderer::draw_row(Console& console, const Input& input, const TextRow& row,
                            std::span<u32> keys) {
  const int cell_width = input.mode.char_dots * input.mode.dot_repeat;
  const Canvas canvas(console.surface());
  const u32 columns = input.mode.columns + (row.dot_pan != 0 ? 1 : 0);
  u32 first = columns, last = 0;
  for (u32 x = 0; x < columns; ++x) {
    const u32 key = cell_key(input, (row.unit + x) & kUnitMask);
    if (keys[x] == key) continue;
    keys[x] = key;
    draw_cell(canvas, input, row, x, key);
    first = std::min(first, x);
    last = x;
  }
  if (first >= columns) return;
  console.update({.x = static_cast<int>(first) * cell_width - row.dot_pan * input.mode.dot_repeat,
                  .y = row.y,
                  .width = static_cast<int>(last - first + 1) * cell_width,
                  .height = row.lines});
}

// One line of a character as dots, the leftmost in bit 8.
u32 TextRenderer::cell_dots(const ScreenMode& mode, u32 key, u8 line) const {
  const u8 character = key & 0xff;
  const u8 attribute = key >> 8 & 0xff;
  if ((key & kKeyCursor) != 0 && line >= cursor_.first_line && line <= cursor_.last_line)
    return 0x1ff;
  if ((key & kKeyHidden) != 0) return 0;
  if ((attribute & 0x77) == 1 && line == mode.underline) return 0x1ff;
  const std::size_t font = (attribute & 8) != 0 ? 1 : 0;
  const u32 glyph = fonts_[font * kFontBytes + character * kFontLines + line];
  const bool repeats =
      (mode.attribute_mode & kLineGraphics) != 0 && character >= 0xc0 && character <= 0xdf;
  return glyph << 1 | (repeats ? glyph & 1 : 0);
}

void TextRenderer::draw_cell(const Canvas& canvas, const Input& input, const TextRow& row,
                             u32 column, u32 key) const {
  const ScreenMode& mode = input.mode;
  const u8 attribute = key >> 8 & 0xff;
  const u8 background_bits = (mode.attribute_mode & kBlink) != 0 ? 7 : 15;
  const u32 foreground = input.palette.attr[attribute & 15];
  const u32 background = input.palette.attr[attribute >> 4 & background_bits];
  const int left = (static_cast<int>(column) * mode.char_dots - row.dot_pan) * mode.dot_repeat;
  const int width = mode.char_dots * mode.dot_repeat;
  for (int i = 0; i < row.lines; ++i) {
    const int line = row.first_line + (mode.line_doubling ? i / 2 : i);
    const u32 dots = cell_dots(mode, key, line & 31);
    u32* pixels = canvas.line(row.y + i);
    for (int x = std::max(0, -left); x < width && left + x < canvas.width; ++x)
      pixels[left + x] = (dots >> (8 - x / mode.dot_repeat) & 1) != 0 ? foreground : background;
  }
}

}  // namespace rhea::hw
