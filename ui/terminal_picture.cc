// SPDX-License-Identifier: GPL-2.0-or-later
// Text cells to terminal cells, and pixels to half blocks.
#include "ui/terminal_picture.h"

#include "ui/cp437.h"

#include <algorithm>

namespace rhea::ui {
namespace {

constexpr char32_t kUpperHalf = U'▀';

/// The PC counts blue, green, red; terminals red, green, blue.
constexpr unsigned ansi_number(unsigned pc) { return (pc & 10) | (pc & 1) << 2 | (pc & 4) >> 2; }

TerminalCell text_cell(const TextCell& cell, bool blink) {
  const unsigned background = cell.attribute >> 4 & (blink ? 7U : 15U);
  return {.character = cp437_to_unicode(cell.character),
          .foreground = TerminalColor::ansi(ansi_number(cell.attribute & 15)),
          .background = TerminalColor::ansi(ansi_number(background)),
          .blink = blink && (cell.attribute & 0x80) != 0};
}

/// First visible row or column of `size`, so that `cursor` is among the `room` that are seen.
int scrolled(int size, int room, int cursor) {
  if (size <= room) return 0;
  return std::clamp(cursor - room + 1, 0, size - room);
}

/// A rectangle of the surface, at least one pixel.
struct Area {
  int left, top, right, bottom;
};

u32 average(const u32* pixels, std::ptrdiff_t stride, const Area& area) {
  u64 red = 0, green = 0, blue = 0;
  for (int y = area.top; y < area.bottom; ++y)
    for (int x = area.left; x < area.right; ++x) {
      const u32 pixel = pixels[y * stride + x];
      red += pixel >> 16 & 0xff;
      green += pixel >> 8 & 0xff;
      blue += pixel & 0xff;
    }
  const auto count =
      static_cast<u64>(area.right - area.left) * static_cast<u64>(area.bottom - area.top);
  return static_cast<u32>(red / count << 16 | green / count << 8 | blue / count);
}

int edge(int n, int count, int size) { return static_cast<int>(i64{n} * size / count); }

}  // namespace

TerminalGrid text_picture(const TextScreen& screen, int columns, int rows) {
  TerminalGrid grid(columns, rows);
  const int left = scrolled(screen.columns, columns, screen.cursor_x);
  const int top = scrolled(screen.rows, rows, screen.cursor_y);
  const int width = std::min(columns, screen.columns);
  const int height = std::min(rows, screen.rows);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      grid.at(x, y) = text_cell(
          screen.cells[static_cast<std::size_t>(i64{top + y} * screen.columns + left + x)],
          screen.blink);
  const int cursor_x = screen.cursor_x - left;
  const int cursor_y = screen.cursor_y - top;
  if (screen.cursor_y >= 0 && cursor_x >= 0 && cursor_x < width && cursor_y < height) {
    grid.cursor_x = cursor_x;
    grid.cursor_y = cursor_y;
  }
  return grid;
}

TerminalGrid graphics_picture(pixman_image_t* surface, int columns, int rows) {
  TerminalGrid grid(columns, rows);
  const int width = pixman_image_get_width(surface);
  const int height = pixman_image_get_height(surface);
  // Cells are twice as high as wide: halves of them are squares.
  const double scale = std::min({1.0, double{1} * columns / width, 2.0 * rows / height});
  const int across = std::clamp(static_cast<int>(width * scale), 1, columns);
  const int down = std::clamp(static_cast<int>(height * scale), 1, 2 * rows);
  const u32* pixels = pixman_image_get_data(surface);
  const std::ptrdiff_t stride = pixman_image_get_stride(surface) / static_cast<int>(sizeof(u32));
  const auto color = [&](int x, int y) {
    if (y >= down) return TerminalColor::rgb(0);
    const Area area{.left = edge(x, across, width),
                    .top = edge(y, down, height),
                    .right = edge(x + 1, across, width),
                    .bottom = edge(y + 1, down, height)};
    return TerminalColor::rgb(average(pixels, stride, area));
  };
  for (int y = 0; y < (down + 1) / 2; ++y)
    for (int x = 0; x < across; ++x)
      grid.at(x, y) = {.character = kUpperHalf,
                       .foreground = color(x, 2 * y),
                       .background = color(x, 2 * y + 1)};
  return grid;
}

}  // namespace rhea::ui
