// SPDX-License-Identifier: GPL-2.0-or-later
// What the renderers work from and draw into.
#pragma once

#include "hw/display/vga_mode.h"
#include "rhea/ui/console.h"

#include <cstring>
#include <span>

namespace rhea::hw {

/// Video memory as the CRT controller sees it.
struct ScreenMemory {
  const u8* bytes{};
  u64 size{};  ///< a power of two
  std::span<const u8>
      text;  ///< while the text window is plain memory: characters and attributes in turn

  /// The four planes' bytes, plane 0 lowest.
  u32 unit(u32 n) const {
    u32 value = 0;
    std::memcpy(&value, bytes + std::size_t{n} * 4, 4);
    const std::size_t at = std::size_t{n} * 2;
    if (at < text.size())
      value = (value & 0xffff0000) | text[at] | static_cast<u32>(text[at + 1]) << 8;
    return value;
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
