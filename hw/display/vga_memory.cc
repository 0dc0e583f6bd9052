// SPDX-License-Identifier: GPL-2.0-or-later
// The graphics controller's read and write modes. Planes are handled four at a time, as the bytes
// of a word.
#include "hw/display/vga_memory.h"

#include <bit>
#include <cstring>

namespace rhea::hw {
namespace {

/// 0xff in the byte of each plane whose bit is set.
constexpr u32 plane_bytes(unsigned planes) {
  u32 bytes = 0;
  for (unsigned plane = 0; plane < 4; ++plane)
    if ((planes >> plane & 1) != 0) bytes |= 0xffu << (8 * plane);
  return bytes;
}
constexpr std::array<u32, 16> kPlaneBytes = [] {
  std::array<u32, 16> table{};
  for (unsigned i = 0; i < 16; ++i) table[i] = plane_bytes(i);
  return table;
}();

constexpr u32 kEveryByte = 0x01010101;

u32 load_unit(const VideoMemory& memory, u32 unit) {
  u32 value = 0;
  std::memcpy(&value, memory.bytes + std::size_t{unit} * 4, 4);
  return value;
}

void store_unit(const VideoMemory& memory, u32 unit, u32 value) {
  std::memcpy(memory.bytes + std::size_t{unit} * 4, &value, 4);
}

u32 logical(const VgaRegisters& regs, u32 data, u32 latch) {
  switch (regs.gfx[3] >> 3 & 3) {
    case 1: return data & latch;
    case 2: return data | latch;
    case 3: return data ^ latch;
    default: return data;
  }
}

u8 rotated(const VgaRegisters& regs, u8 value) { return std::rotr(value, regs.gfx[3] & 7); }

/// Nothing between the bus and the planes: write mode 0 without set/reset, rotation, function or
/// mask.
bool passes_through(const VgaRegisters& regs) {
  return (regs.gfx[5] & 0x0b) == 0 && regs.gfx[1] == 0 && regs.gfx[3] == 0 && regs.gfx[8] == 0xff;
}

}  // namespace

VgaWindow vga_window(const VgaRegisters& regs) {
  switch (regs.gfx[6] >> 2 & 3) {
    case 0: return {.base = 0, .size = 0x20000};
    case 1: return {.base = 0, .size = 0x10000};
    case 2: return {.base = 0x10000, .size = 0x8000};
    default: return {.base = 0x18000, .size = 0x8000};
  }
}

PlainWindow plain_window(const VgaRegisters& regs) {
  if (!passes_through(regs)) return PlainWindow::No;
  if (regs.chain4()) return regs.seq[2] == 0x0f ? PlainWindow::Packed : PlainWindow::No;
  const bool text = regs.odd_even_writes() && regs.odd_even_reads() && regs.seq[2] == 3 &&
                    (regs.gfx[4] & 2) == 0 && (regs.gfx[6] & 8) != 0;
  return text ? PlainWindow::Text : PlainWindow::No;
}

u8 VgaMemoryAccess::read(const VgaRegisters& regs, const VideoMemory& memory, u32 address) {
  address += memory.bank;
  unsigned plane = regs.gfx[4] & 3;
  u32 unit = address;
  if (regs.chain4()) {
    plane = address & 3;
    unit = address >> 2;
  } else if (regs.odd_even_reads()) {
    plane = (plane & 2) | (address & 1);
    unit = address >> 1;
  }
  latch = load_unit(memory, unit & memory.unit_mask);
  if ((regs.gfx[5] & 8) == 0) return static_cast<u8>(latch >> (8 * plane));
  const u32 differs = (latch ^ kPlaneBytes[regs.gfx[2] & 15]) & kPlaneBytes[regs.gfx[7] & 15];
  const u32 halves = differs | differs >> 16;
  return static_cast<u8>(~(halves | halves >> 8));
}

// What the four planes get for `value`, before the plane mask.
u32 VgaMemoryAccess::modify(const VgaRegisters& regs, u8 value) const {
  const u32 set_reset = kPlaneBytes[regs.gfx[0] & 15];
  u8 mask = regs.gfx[8];
  u32 data = 0;
  switch (regs.gfx[5] & 3) {
    case 0: {
      const u32 enabled = kPlaneBytes[regs.gfx[1] & 15];
      data = (rotated(regs, value) * kEveryByte & ~enabled) | (set_reset & enabled);
      break;
    }
    case 1: return latch;
    case 2: data = kPlaneBytes[value & 15]; break;
    default:
      mask &= rotated(regs, value);
      data = set_reset;
      break;
  }
  const u32 masks = mask * kEveryByte;
  return (logical(regs, data, latch) & masks) | (latch & ~masks);
}

u32 VgaMemoryAccess::write(const VgaRegisters& regs, const VideoMemory& memory, u32 address,
                           u8 value) const {
  address += memory.bank;
  unsigned planes = regs.seq[2];
  u32 unit = address;
  if (regs.chain4()) {
    planes &= 1u << (address & 3);
    unit = address >> 2;
  } else if (regs.odd_even_writes()) {
    planes &= (address & 1) != 0 ? 0b1010 : 0b0101;
    unit = address >> 1;
  }
  unit &= memory.unit_mask;
  const u32 writable = kPlaneBytes[planes & 15];
  store_unit(memory, unit,
             (load_unit(memory, unit) & ~writable) | (modify(regs, value) & writable));
  return unit;
}

}  // namespace rhea::hw
