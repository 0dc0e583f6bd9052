// SPDX-License-Identifier: GPL-2.0-or-later
// Loading a segment register for a debugger (SDM vol. 3, 3.4).
#include "gdbstub/segment_load.h"

#include "target/x86/registers.h"

#include <optional>

namespace rhea::gdbstub {
namespace {

constexpr u16 kInLdt = 4, kRpl = 3;

std::optional<u64> descriptor_of(const x86::CpuState& state, u16 selector,
                                 const ReadLinear& memory) {
  const u64 offset = selector & ~(kRpl | kInLdt);
  const bool local = (selector & kInLdt) != 0;
  if (local && (state.ldtr.unusable || !state.ldtr.present)) return std::nullopt;
  const u64 limit = local ? state.ldtr.limit : state.gdtr.limit;
  const u64 base = local ? state.ldtr.base : state.gdtr.base;
  if (offset + 7 > limit) return std::nullopt;
  u64 descriptor = 0;
  if (!memory(base + offset, {reinterpret_cast<u8*>(&descriptor), sizeof descriptor}))
    return std::nullopt;
  return descriptor;
}

x86::Segment segment_of(u16 selector, u64 descriptor) {
  x86::Segment segment{
      .selector = selector,
      .base = (descriptor >> 16 & 0xff'ffff) | (descriptor >> 56) << 24,
      .limit = static_cast<u32>((descriptor & 0xffff) | (descriptor >> 32 & 0xf'0000)),
      .type = static_cast<u32>(descriptor >> 40 & 0xf),
      .s = (descriptor >> 44 & 1) != 0,
      .present = (descriptor >> 47 & 1) != 0,
      .avl = (descriptor >> 52 & 1) != 0,
      .l = (descriptor >> 53 & 1) != 0,
      .db = (descriptor >> 54 & 1) != 0,
      .g = (descriptor >> 55 & 1) != 0,
      .unusable = false,
      .dpl = static_cast<u8>(descriptor >> 45 & 3)};
  if (segment.g) segment.limit = segment.limit << 12 | 0xfff;
  segment.type |= 1;  // accessed
  return segment;
}

bool fits(const x86::CpuState& state, x86::Seg which, const x86::Segment& segment) {
  if (!segment.s || !segment.present) return false;
  const bool code = (segment.type & 8) != 0;
  const bool readable_or_writable = (segment.type & 2) != 0;
  if (which != x86::Cs && which != x86::Ss) return !code || readable_or_writable;
  // Another level would come with another stack.
  const x86::Segment& now = state.segment[which];
  if (segment.dpl != now.dpl || (segment.selector & kRpl) != (now.selector & kRpl)) return false;
  if (which == x86::Ss) return !code && readable_or_writable;
  return code && !(segment.l && segment.db);
}

}  // namespace

bool load_segment(x86::CpuState& state, x86::Seg which, u16 selector, const ReadLinear& memory) {
  x86::Segment& now = state.segment[which];
  if (selector == now.selector) return true;
  const bool real = (state.cr0 & x86::cr0::kPe) == 0;
  if (real || (state.rflags & x86::eflags::kVm) != 0) {
    now.selector = selector;
    now.base = u64{selector} << 4;
    return true;
  }
  if ((selector & ~kRpl) == 0) {
    if (which == x86::Cs || which == x86::Ss) return false;
    now.selector = selector;
    now.unusable = true;
    now.present = false;
    return true;
  }
  const auto descriptor = descriptor_of(state, selector, memory);
  if (!descriptor) return false;
  const x86::Segment loaded = segment_of(selector, *descriptor);
  if (!fits(state, which, loaded)) return false;
  now = loaded;
  return true;
}

}  // namespace rhea::gdbstub
