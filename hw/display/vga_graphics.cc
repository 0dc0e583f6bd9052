// SPDX-License-Identifier: GPL-2.0-or-later
// The VGA's graphics modes: sixteen colours in planes, CGA's interleaved pairs of bits, 256
// colours.
#include "hw/display/vga_graphics.h"

#include <algorithm>

namespace rhea::hw {
namespace {

using Kind = ScreenMode::Kind;

constexpr u32 kUnitMask = 0xffff;

/// Writes a line's pixels, each `repeat` dots wide, leaving out those shifted off the left edge.
class PixelWriter {
 public:
  PixelWriter(std::span<u32> row, unsigned repeat, unsigned skip)
      : at_(row.data()), end_(row.data() + row.size()), repeat_(repeat), skip_(skip) {}

  void put(u32 color) {
    if (skip_ != 0) {
      --skip_;
      return;
    }
    for (unsigned i = 0; i < repeat_ && at_ != end_; ++i) *at_++ = color;
  }

 private:
  u32* at_;
  u32* end_;
  unsigned repeat_, skip_;
};

void put_planar(PixelWriter& out, u32 unit, const Palette& palette) {
  for (int bit = 7; bit >= 0; --bit) {
    const u32 bits = unit >> bit & 0x01010101;
    out.put(palette.attr[(bits | bits >> 7 | bits >> 14 | bits >> 21) & 15]);
  }
}

// Planes 0 and 2 give four pixels, 1 and 3 the next four: two low and two high bits of each.
void put_interleaved(PixelWriter& out, u32 unit, const Palette& palette) {
  for (const unsigned pair : {0u, 8u})
    for (int bit = 6; bit >= 0; bit -= 2)
      out.put(palette.attr[(unit >> pair >> bit & 3) | (unit >> pair >> 16 >> bit & 3) << 2]);
}

void put_packed(PixelWriter& out, u32 unit, const Palette& palette) {
  for (unsigned shift = 0; shift < 32; shift += 8) out.put(palette.dac[unit >> shift & 0xff]);
}

// The units that a line shows, in order. In CGA's modes lines take turns between banks.
void fetch_units(const ScreenMode& mode, const LineCounter& at, const ScreenMemory& memory,
                 std::span<u32> units) {
  const u32 bank_bits = u32{mode.row_in_address} << 13 >> mode.address_shift;
  const u32 bank = (u32{at.row_line()} & mode.row_in_address) << 13 >> mode.address_shift;
  for (u32 n = at.unit(); u32 & unit : units)
    unit = memory.unit(((n++ & ~bank_bits) | bank) & kUnitMask);
}

void draw_line(std::span<u32> row, const ScreenMode& mode, u8 dot_pan, std::span<const u32> units,
               const Palette& palette) {
  const bool packed = mode.kind == Kind::Packed;
  PixelWriter out(row, mode.dot_repeat * (packed ? 2u : 1u), packed ? dot_pan >> 1 : dot_pan);
  for (const u32 unit : units) {
    if (packed)
      put_packed(out, unit, palette);
    else if (mode.kind == Kind::Planar)
      put_planar(out, unit, palette);
    else
      put_interleaved(out, unit, palette);
  }
}

}  // namespace

void PlaneRenderer::draw(Console& console, const ScreenMode& mode, const Palette& palette,
                         const ScreenMemory& memory, bool full) {
  const std::size_t most = mode.columns + 1;  // panning shows a part of one more
  drawn_.resize(most * static_cast<u32>(mode.height));
  const Canvas canvas(console.surface());
  std::vector<u32> buffer(most);
  ChangedLines changed(console);
  LineCounter at(mode);
  for (int y = 0; y < mode.height; ++y, at.next()) {
    const std::size_t count = mode.columns + (at.dot_pan() != 0 ? 1 : 0);
    const auto units = std::span(buffer).first(count);
    fetch_units(mode, at, memory, units);
    const auto drawn = std::span(drawn_).subspan(most * static_cast<u32>(y), count);
    if (!full && std::ranges::equal(units, drawn)) continue;
    std::ranges::copy(units, drawn.begin());
    draw_line(canvas.row(y), mode, at.dot_pan(), units, palette);
    changed.add(y);
  }
}

}  // namespace rhea::hw
