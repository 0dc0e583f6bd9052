// SPDX-License-Identifier: GPL-2.0-or-later
// What follows from the control registers, the flags and CS: mode, privilege, limits of code and
// data.
#include "target/x86/cpu.h"

namespace rhea::x86 {
namespace {

Mode mode_of(const Cpu& cpu) {
  if (!cpu.protected_mode()) return Mode::Real;
  if (cpu.lma()) return cpu.seg[Cs].l() ? Mode::Long : Mode::Compatibility;
  return cpu.eflag(eflags::kVm) ? Mode::Virtual8086 : Mode::Protected;
}

Privilege privilege_of(const Cpu& cpu) {
  const bool ac = cpu.eflag(eflags::kAc);
  if (cpu.cpl == 3)
    return ac && (cpu.cr0 & cr0::kAm) != 0 ? Privilege::UserAligned : Privilege::User;
  return ac && (cpu.cr4 & cr4::kSmap) != 0 ? Privilege::SupervisorAc : Privilege::Supervisor;
}

}  // namespace

void Cpu::update_mode() {
  mode = mode_of(*this);
  if (mode == Mode::Long) {
    code_bits = 64;
    rip_mask = ~u64{0};
  } else {
    code_bits = seg[Cs].db() ? 32 : 16;
    rip_mask = 0xffff'ffff;
  }
  privilege = privilege_of(*this);
  view = tlb.view(privilege);
}

void Cpu::set_rflags(u64 value) {
  constexpr u64 kModes = eflags::kVm | eflags::kAc;
  const u64 changed = eflags ^ value;
  flags.set_value(value);
  eflags = (value & ~eflags::kStatus) | eflags::kFixed;
  if ((changed & kModes) != 0) update_mode();
}

void Cpu::branch_to(u64 target, unsigned operand_size) {
  target &= size_mask(operand_size);
  if (mode == Mode::Long ? !canonical(target) : target > seg[Cs].limit) raise(Vector::Gp, 0);
  set_rip(target);
}

void Cpu::check_segment(unsigned segment, u64 offset, unsigned size, bool write) const {
  const SegmentRegister& s = seg[segment];
  const Vector vector = segment == Ss ? Vector::Ss : Vector::Gp;
  // Real mode has no types: whatever protected mode left there, and CS too, can be written.
  const bool typed = mode != Mode::Real && mode != Mode::Virtual8086;
  if (typed && !(write ? s.writable : s.readable)) raise(vector, 0);
  const u64 last = offset + size - 1;
  if (s.expand_down) {
    const u64 top = s.db() ? 0xffff'ffff : 0xffff;
    if (offset <= s.limit || last > top || last < offset) raise(vector, 0);
  } else if (last > s.limit || last < offset) {
    raise(vector, 0);
  }
}

}  // namespace rhea::x86
