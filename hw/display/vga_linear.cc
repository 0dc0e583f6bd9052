// SPDX-License-Identifier: GPL-2.0-or-later
// The linear modes of Bochs VBE, 4 to 32 bits per pixel.
#include "hw/display/vga_graphics.h"
#include "rhea/softmmu/ram_block.h"

#include <algorithm>
#include <cstring>

namespace rhea::hw {
namespace {

using Convert = void (*)(std::span<u32> out, const u8* in, const Palette& palette);

template <class T>
T load(const u8* at) {
  T value{};
  std::memcpy(&value, at, sizeof value);
  return value;
}

constexpr u32 widen5(u32 v) { return v << 3 | v >> 2; }
constexpr u32 widen6(u32 v) { return v << 2 | v >> 4; }

void convert4(std::span<u32> out, const u8* in, const Palette& palette) {
  for (std::size_t x = 0; x < out.size(); ++x) {
    const u8* unit = in + x / 8 * 4;
    const unsigned bit = 7 - x % 8;
    unsigned index = 0;
    for (unsigned plane = 0; plane < 4; ++plane) index |= (unit[plane] >> bit & 1u) << plane;
    out[x] = palette.attr[index];
  }
}

void convert8(std::span<u32> out, const u8* in, const Palette& palette) {
  for (u32& pixel : out) pixel = palette.dac[*in++];
}

void convert15(std::span<u32> out, const u8* in, const Palette&) {
  for (u32& pixel : out) {
    const u32 v = load<u16>(in);
    in += 2;
    pixel = widen5(v >> 10 & 31) << 16 | widen5(v >> 5 & 31) << 8 | widen5(v & 31);
  }
}

void convert16(std::span<u32> out, const u8* in, const Palette&) {
  for (u32& pixel : out) {
    const u32 v = load<u16>(in);
    in += 2;
    pixel = widen5(v >> 11) << 16 | widen6(v >> 5 & 63) << 8 | widen5(v & 31);
  }
}

void convert24(std::span<u32> out, const u8* in, const Palette&) {
  for (u32& pixel : out) {
    pixel = in[0] | static_cast<u32>(in[1]) << 8 | static_cast<u32>(in[2]) << 16;
    in += 3;
  }
}

void convert32(std::span<u32> out, const u8* in, const Palette&) {
  for (u32& pixel : out) {
    pixel = load<u32>(in) & 0xffffff;
    in += 4;
  }
}

Convert converter(u32 bits) {
  switch (bits) {
    case 4: return convert4;
    case 8: return convert8;
    case 15: return convert15;
    case 16: return convert16;
    case 24: return convert24;
    default: return convert32;
  }
}

bool any_dirty(DirtyPages dirty, u64 first_byte, u64 last_byte) {
  for (u64 page = first_byte / kPageSize; page <= last_byte / kPageSize; ++page) {
    const u64 word = page / 64;
    if (word < dirty.size() && (dirty[word] >> (page % 64) & 1) != 0) return true;
  }
  return false;
}

}  // namespace

void draw_linear(Console& console, const ScreenMode& mode, const Palette& palette,
                 const ScreenMemory& memory, DirtyPages dirty, bool full) {
  const VbeMode& vbe = mode.linear;
  const u64 storage_bits = vbe.bits == 15 ? 16 : vbe.bits;
  const u64 used = (vbe.width * storage_bits + 7) / 8;
  const Convert convert = converter(vbe.bits);
  const Canvas canvas(console.surface());
  ChangedLines changed(console);
  for (u32 y = 0; y < vbe.height; ++y) {
    const u64 first = vbe.start + y * vbe.line_bytes;
    // The mode was clipped to fit; this is the last word on it.
    if (first + used > memory.size) break;
    if (!full && !any_dirty(dirty, first, first + used - 1)) continue;
    convert(canvas.row(static_cast<int>(y)), memory.bytes + first, palette);
    changed.add(static_cast<int>(y));
  }
}

}  // namespace rhea::hw
