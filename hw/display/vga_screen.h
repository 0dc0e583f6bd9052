// SPDX-License-Identifier: GPL-2.0-or-later
// What the renderers work from and draw into.
#pragma once

#include "hw/display/vga_mode.h"
#include "rhea/ui/console.h"

#include <span>

namespace rhea::hw {

/// Video memory as the CRT controller sees it.
struct ScreenMemory {
  const u8* bytes{};
  u64 size{};  ///< a power of two
  std::span<const u8>
      text;  ///< while the text window is plain memory: characters and attributes in turn

  u8 character(u32 unit) const { return cell_byte(unit, 0); }
  u8 attribute(u32 unit) const { return cell_byte(unit, 1); }

 private:
  u8 cell_byte(u32 unit, unsigned plane) const {
    const std::size_t at = std::size_t{unit} * 2 + plane;
    return at < text.size() ? text[at] : bytes[std::size_t{unit} * 4 + plane];
  }
};

/// The pixels of a console's surface.
struct Canvas {
  explicit Canvas(pixman_image_t* surface)
      : pixels(pixman_image_get_data(surface)),
        stride(pixman_image_get_stride(surface) / static_cast<int>(sizeof(u32))),
        width(pixman_image_get_width(surface)),
        height(pixman_image_get_height(surface)) {}

  u32* line(int y) const { return pixels + static_cast<std::ptrdiff_t>(y) * stride; }
  std::span<u32> row(int y) const { return {line(y), static_cast<std::size_t>(width)}; }

  u32* pixels;
  std::ptrdiff_t stride;
  int width, height;
};

/// Gathers changed lines and reports them as few rectangles.
class ChangedLines {
 public:
  explicit ChangedLines(Console& console) : console_(&console) {}
  ~ChangedLines() { flush(); }
  ChangedLines(const ChangedLines&) = delete;
  ChangedLines& operator=(const ChangedLines&) = delete;

  void add(int y) {
    if (y != last_ + 1) {
      flush();
      first_ = y;
    }
    last_ = y;
  }

 private:
  void flush() {
    if (first_ >= 0)
      console_->update(
          {.x = 0, .y = first_, .width = console_->width(), .height = last_ - first_ + 1});
    first_ = last_ = -2;
  }
  Console* console_;
  int first_{-2}, last_{-2};
};

}  // namespace rhea::hw
