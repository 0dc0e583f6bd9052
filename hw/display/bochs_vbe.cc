// SPDX-License-Identifier: GPL-2.0-or-later
// The dispi registers, and how hostile values are brought within limits.
#include "hw/display/bochs_vbe.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr u16 kFirstId = 0xb0c0, kNewestId = 0xb0c5;
// What GetCaps answers, and what modes are clipped to.
constexpr u16 kMaxWidth = 16000, kMaxHeight = 12000, kMaxBits = 32;
constexpr u16 kWidthStep = 8;

constexpr bool known_depth(u16 bits) {
  return bits == 4 || bits == 8 || bits == 15 || bits == 16 || bits == 24 || bits == 32;
}

u16 clip_width(u16 width, u16 least) {
  return std::clamp<u16>(width & ~(kWidthStep - 1), least, kMaxWidth);
}

}  // namespace

void BochsVbe::describe(StateFields<BochsVbe>& s) {
  s.state("index", &BochsVbe::index_);
  s.state("regs", &BochsVbe::regs_);
}

void BochsVbe::reset() {
  index_ = 0;
  regs_ = {};
  regs_[Id] = kNewestId;
  mode_ = {};
}

u16 BochsVbe::read(u16 index) const {
  const bool caps = (regs_[Enable] & kGetCaps) != 0;
  switch (index) {
    case XRes: return caps ? kMaxWidth : regs_[XRes];
    case YRes: return caps ? kMaxHeight : regs_[YRes];
    case Bpp: return caps ? kMaxBits : regs_[Bpp];
    case VideoMemory64K: return static_cast<u16>(memory_bytes_ >> 16);
    default: return index < kRegisters ? regs_[index] : 0;
  }
}

BochsVbe::Effects BochsVbe::write(u16 index, u16 value) {
  switch (index) {
    case Id:
      if (value >= kFirstId && value <= kNewestId) regs_[Id] = value;
      return {};
    case XRes:
    case YRes:
    case Bpp:
    case VirtWidth:
    case XOffset:
    case YOffset:
      regs_[index] = value;
      clip();
      return {.remap = index == Bpp};
    case Bank:
      regs_[Bank] = static_cast<u16>(value & ((memory_bytes_ >> 16) - 1));
      return {.remap = true};
    case Enable: return enable(value);
    default: return {};
  }
}

BochsVbe::Effects BochsVbe::enable(u16 value) {
  const bool comes = (value & kEnabled) != 0 && !enabled();
  const bool goes = (value & kEnabled) == 0;
  regs_[Enable] = value;
  if (comes) regs_[VirtWidth] = regs_[XOffset] = regs_[YOffset] = 0;
  if (goes) regs_[Bank] = 0;
  clip();
  return {.remap = true, .clear = comes && (value & kNoClear) == 0};
}

// While a mode is enabled its registers hold what is really shown.
void BochsVbe::clip() {
  mode_ = {};
  regs_[Bank] &= static_cast<u16>((memory_bytes_ >> 16) - 1);
  if (!enabled()) return;
  if (!known_depth(regs_[Bpp])) regs_[Bpp] = 8;
  regs_[XRes] = clip_width(regs_[XRes], kWidthStep);
  regs_[VirtWidth] = clip_width(regs_[VirtWidth], regs_[XRes]);
  mode_.bits = regs_[Bpp];
  const u64 storage_bits = mode_.bits == 15 ? 16 : mode_.bits;
  mode_.width = regs_[XRes];
  mode_.line_bytes = regs_[VirtWidth] * storage_bits / 8;
  const u64 lines = memory_bytes_ / mode_.line_bytes;
  regs_[YRes] = static_cast<u16>(std::clamp<u64>(regs_[YRes], 1, std::min<u64>(kMaxHeight, lines)));
  regs_[VirtHeight] = static_cast<u16>(std::min<u64>(lines, 0xffff));
  mode_.height = regs_[YRes];
  // The screen must begin where all of it lies within video memory.
  const u64 room = memory_bytes_ - mode_.line_bytes * mode_.height;
  // Planar modes begin at a whole unit.
  const u64 column = regs_[XOffset] * storage_bits / 8 & ~u64{mode_.bits == 4 ? 3u : 0u};
  mode_.start = regs_[YOffset] * mode_.line_bytes + column;
  if (mode_.start <= room) return;
  regs_[YOffset] = 0;
  mode_.start = column;
  if (mode_.start <= room) return;
  regs_[XOffset] = 0;
  mode_.start = 0;
}

}  // namespace rhea::hw
