// SPDX-License-Identifier: GPL-2.0-or-later
// Instructions on flags: PUSHF, POPF, CLI and STI with the virtual interrupt flag, CLAC, STAC, and
// the plain ones.
#include "target/x86/system/checks.h"
#include "target/x86/system/functions.h"

namespace rhea::x86::system {
namespace {

/// Whether CLI and STI act on VIF: VME in virtual-8086 mode, PVI in protected mode at CPL 3.
bool has_virtual_if(const Cpu& cpu) {
  if (cpu.mode == Mode::Virtual8086) return (cpu.cr4 & cr4::kVme) != 0;
  return cpu.cpl == 3 && (cpu.cr4 & cr4::kPvi) != 0;
}

/// IF is within reach in real mode, and at or inside IOPL.
bool may_change_if(const Cpu& cpu) {
  if (cpu.mode == Mode::Real) return true;
  if (cpu.mode == Mode::Virtual8086) return cpu.iopl() == 3;
  return cpu.cpl <= cpu.iopl();
}

void pop_virtual(Cpu& cpu, u64 value) {
  const bool enables = (value & eflags::kIf) != 0;
  if ((value & eflags::kTf) != 0 || (enables && cpu.eflag(eflags::kVip))) raise(Vector::Gp, 0);
  constexpr u64 kMask = eflags::kStatus | eflags::kDf | eflags::kNt | eflags::kVif;
  value = (value & ~eflags::kVif) | (enables ? eflags::kVif : 0);
  cpu.set_rflags((cpu.rflags() & ~(kMask | eflags::kTf | eflags::kRf)) | (value & kMask));
}

u64 pop_mask(const Cpu& cpu, unsigned size) {
  u64 mask = eflags::kStatus | eflags::kTf | eflags::kDf | eflags::kNt;
  if (size > 2) mask |= eflags::kAc | eflags::kId;
  if (may_change_if(cpu)) mask |= eflags::kIf;
  if (cpu.cpl == 0) mask |= eflags::kIopl;
  return mask;
}

}  // namespace

void pushf(Cpu& cpu, const Insn& insn) {
  u64 value = cpu.rflags() & ~(eflags::kVm | eflags::kRf);
  if (cpu.mode == Mode::Virtual8086 && cpu.iopl() < 3) {
    if ((cpu.cr4 & cr4::kVme) == 0 || insn.operand_size != 2) raise(Vector::Gp, 0);
    value = (value & ~eflags::kIf) | eflags::kIopl;
    if (cpu.eflag(eflags::kVif)) value |= eflags::kIf;
  }
  cpu.push_sized(value, insn.operand_size);
}

void popf(Cpu& cpu, const Insn& insn) {
  const bool virtual_if = cpu.mode == Mode::Virtual8086 && cpu.iopl() < 3;
  if (virtual_if && ((cpu.cr4 & cr4::kVme) == 0 || insn.operand_size != 2)) raise(Vector::Gp, 0);
  const u64 old_sp = cpu.gpr[Rsp];
  const u64 value = cpu.pop_sized(insn.operand_size);
  if (virtual_if) {
    const u64 new_sp = cpu.gpr[Rsp];
    cpu.gpr[Rsp] = old_sp;
    pop_virtual(cpu, value);
    cpu.gpr[Rsp] = new_sp;
  } else {
    const u64 mask = pop_mask(cpu, insn.operand_size);
    cpu.set_rflags((cpu.rflags() & ~(mask | eflags::kRf)) | (value & mask));
  }
  cpu.leave_block = true;
}

void cli(Cpu& cpu, const Insn&) {
  if (may_change_if(cpu))
    cpu.eflags &= ~eflags::kIf;
  else if (has_virtual_if(cpu))
    cpu.eflags &= ~eflags::kVif;
  else
    raise(Vector::Gp, 0);
}

void sti(Cpu& cpu, const Insn&) {
  if (may_change_if(cpu)) {
    if (!cpu.eflag(eflags::kIf)) {
      cpu.shadow_next = true;
      cpu.traps_held = false;
    }
    cpu.eflags |= eflags::kIf;
  } else if (has_virtual_if(cpu) && !cpu.eflag(eflags::kVip)) {
    cpu.eflags |= eflags::kVif;
  } else {
    raise(Vector::Gp, 0);
  }
  cpu.leave_block = true;
}

void clac(Cpu& cpu, const Insn&) {
  if (cpu.cpl != 0) raise(Vector::Ud);
  cpu.eflags &= ~eflags::kAc;
  cpu.update_mode();
}

void stac(Cpu& cpu, const Insn&) {
  if (cpu.cpl != 0) raise(Vector::Ud);
  cpu.eflags |= eflags::kAc;
  cpu.update_mode();
}

void clc(Cpu& cpu, const Insn&) { cpu.flags.change(eflags::kCf, 0); }
void stc(Cpu& cpu, const Insn&) { cpu.flags.change(eflags::kCf, eflags::kCf); }
void cmc(Cpu& cpu, const Insn&) { cpu.flags.change(eflags::kCf, cpu.flags.cf() ? 0 : eflags::kCf); }
void cld(Cpu& cpu, const Insn&) { cpu.eflags &= ~eflags::kDf; }
void std_insn(Cpu& cpu, const Insn&) { cpu.eflags |= eflags::kDf; }

void lahf(Cpu& cpu, const Insn&) {
  cpu.set_reg<u8>(kHighByte + Rax, static_cast<u8>(cpu.flags.value() | eflags::kFixed));
}

void sahf(Cpu& cpu, const Insn&) {
  constexpr u64 kMask = eflags::kStatus & ~eflags::kOf;
  cpu.flags.change(kMask, cpu.reg<u8>(kHighByte + Rax));
}

void salc(Cpu& cpu, const Insn&) { cpu.set_reg<u8>(Rax, cpu.flags.cf() ? 0xff : 0); }

}  // namespace rhea::x86::system
