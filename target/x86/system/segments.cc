// SPDX-License-Identifier: GPL-2.0-or-later
// Loading segment registers, with every check (SDM vol. 3, 5.2 to 5.7).
#include "target/x86/system/segments.h"

#include <algorithm>

namespace rhea::x86::system {
namespace {

constexpr u16 kRealAttributes = 0x93;
constexpr u16 kVirtual8086Attributes = 0xf3;

bool is_intel(const Cpu& cpu) { return cpu.model->vendor == "GenuineIntel"; }

void load_stack(Cpu& cpu, u16 selector) {
  if (is_null(selector)) {
    if (!cpu.long_mode() || cpu.cpl == 3 || rpl_of(selector) != cpu.cpl) raise(Vector::Gp, 0);
    cpu.seg[Ss] = null_stack(selector, cpu.cpl);
    return;
  }
  cpu.seg[Ss] = check_stack_segment(cpu, selector, cpu.cpl, Vector::Gp);
}

void load_data(Cpu& cpu, unsigned segment, u16 selector) {
  if (is_null(selector)) {
    cpu.seg[segment] = null_segment(cpu, cpu.seg[segment], selector);
    return;
  }
  Descriptor d = fetch_descriptor(cpu, selector);
  const u32 error = selector_error(selector);
  if (!d.is_readable()) raise(Vector::Gp, error);
  if (!d.is_conforming() && std::max<unsigned>(rpl_of(selector), cpu.cpl) > d.dpl())
    raise(Vector::Gp, error);
  if (!d.present()) raise(Vector::Np, error);
  mark_accessed(cpu, d);
  cpu.seg[segment] = segment_from(selector, d);
}

SegmentRegister flat(u16 selector, u16 attributes) {
  SegmentRegister made;
  made.selector = selector;
  made.attributes = attributes;
  made.limit = 0xffff'ffff;
  made.refresh();
  return made;
}

}  // namespace

SegmentRegister virtual_8086_segment(u16 selector) {
  SegmentRegister made;
  made.selector = selector;
  made.attributes = kVirtual8086Attributes;
  made.limit = 0xffff;
  made.base = u64{selector} << 4;
  made.refresh();
  return made;
}

SegmentRegister null_segment(const Cpu& cpu, const SegmentRegister& old, u16 selector) {
  SegmentRegister made;
  made.selector = selector;
  made.unusable = true;
  // AMD's older processors leave the base and the limit (APM vol. 3, CPUID Fn8000_0021).
  if (!is_intel(cpu) && !cpu.has(Feature::Nullselect)) {
    made.base = old.base;
    made.limit = old.limit;
  }
  made.refresh();
  return made;
}

SegmentRegister null_stack(u16 selector, unsigned dpl) {
  SegmentRegister made;
  made.selector = selector;
  made.attributes = static_cast<u16>(dpl << 5);
  made.unusable = true;
  made.refresh();
  return made;
}

SegmentRegister check_stack_segment(Cpu& cpu, u16 selector, unsigned level, Vector vector,
                                    u32 external) {
  if (is_null(selector)) raise(vector, selector_error(selector, external));
  Descriptor d = fetch_descriptor(cpu, selector, vector, external);
  const u32 error = selector_error(selector, external);
  if (rpl_of(selector) != level || d.dpl() != level || !d.is_writable_data()) raise(vector, error);
  if (!d.present()) raise(Vector::Ss, error);
  mark_accessed(cpu, d);
  return segment_from(selector, d);
}

void load_real_segment(Cpu& cpu, unsigned segment, u16 selector) {
  if (cpu.mode == Mode::Virtual8086) {
    cpu.seg[segment] = virtual_8086_segment(selector);
    return;
  }
  // Limit and attributes stay what they were: "big real mode" lives on that.
  SegmentRegister& s = cpu.seg[segment];
  s.selector = selector;
  s.base = u64{selector} << 4;
  if (s.unusable || !s.present() || !s.s()) {
    s.unusable = false;
    s.attributes = kRealAttributes;
    s.limit = 0xffff;
  }
  s.refresh();
}

void load_segment(Cpu& cpu, unsigned segment, u16 selector) {
  if (cpu.mode == Mode::Real || cpu.mode == Mode::Virtual8086)
    return load_real_segment(cpu, segment, selector);
  if (segment == Ss) return load_stack(cpu, selector);
  load_data(cpu, segment, selector);
}

// The base and the limit stay, on Intel's processors and on AMD's: 64-bit code goes on using what
// FS and GS were.
void drop_inner_segments(Cpu& cpu) {
  for (const unsigned n : {Es, Ds, Fs, Gs}) {
    SegmentRegister& s = cpu.seg[n];
    if (is_null(s.selector)) {
      s.selector = 0;
    } else if (!s.unusable && !s.conforming() && s.dpl() < cpu.cpl) {
      s.selector = 0;
      s.attributes = 0;
      s.unusable = true;
      s.refresh();
    }
  }
}

void load_ldtr(Cpu& cpu, u16 selector, Vector vector, u32 external) {
  if (is_null(selector)) {
    cpu.ldtr = null_segment(cpu, cpu.ldtr, selector);
    return;
  }
  const u32 error = selector_error(selector, external);
  if ((selector & 4) != 0) raise(vector, error);
  Descriptor d = fetch_descriptor(cpu, selector, vector, external);
  if (d.s() || d.type() != kLdt) raise(vector, error);
  if (!d.present()) raise(vector == Vector::Gp ? Vector::Np : vector, error);
  if (cpu.lma()) fetch_upper_half(cpu, selector, d, vector, external);
  if (cpu.lma() && !cpu.canonical(d.base())) raise(vector, error);
  cpu.ldtr = segment_from(selector, d);
}

SegmentRegister flat_code(u16 selector, unsigned dpl, bool long_mode) {
  return flat(selector, static_cast<u16>((long_mode ? 0xa09b : 0xc09b) | dpl << 5));
}

SegmentRegister flat_stack(u16 selector, unsigned dpl) {
  return flat(selector, static_cast<u16>(0xc093 | dpl << 5));
}

}  // namespace rhea::x86::system
