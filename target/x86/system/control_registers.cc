// SPDX-License-Identifier: GPL-2.0-or-later
// MOV with control registers, CLTS, SMSW, LMSW, XGETBV and XSETBV.
#include "target/x86/system/checks.h"
#include "target/x86/system/control.h"
#include "target/x86/system/functions.h"

namespace rhea::x86::system {
namespace {

u64 read_control(const Cpu& cpu, unsigned n) {
  switch (n) {
    case 0: return cpu.cr0;
    case 2: return cpu.cr2;
    case 3: return cpu.cr3;
    case 4: return cpu.cr4;
    case 8: return cpu.bus->task_priority();
    default: raise(Vector::Ud);
  }
}

void write_control(Cpu& cpu, unsigned n, u64 value) {
  switch (n) {
    case 0: return write_cr0(cpu, value);
    case 2: cpu.cr2 = value; return;
    case 3: return write_cr3(cpu, value);
    case 4: return write_cr4(cpu, value);
    case 8:
      if (value > 15) raise(Vector::Gp, 0);
      return cpu.bus->set_task_priority(static_cast<u8>(value));
    default: raise(Vector::Ud);
  }
}

bool exists(unsigned n) { return n == 0 || n == 2 || n == 3 || n == 4 || n == 8; }

}  // namespace

void mov_control(Cpu& cpu, const Insn& insn) {
  const bool load = insn.op[0].kind == OperandKind::Control;
  unsigned control = insn.op[load ? 0 : 1].reg;
  // AMD's way to CR8 outside 64-bit mode (APM vol. 3, MOV CRn).
  if (control == 0 && insn.has(kLock)) control = 8;
  const unsigned general = insn.op[load ? 1 : 0].reg;
  if (!exists(control)) raise(Vector::Ud);
  require_cpl0(cpu);
  const unsigned size = cpu.long_mode() ? 8 : 4;
  if (load)
    write_control(cpu, control, cpu.gpr[general] & Cpu::size_mask(size));
  else
    set_reg_sized(cpu, general, read_control(cpu, control), size);
}

void clts(Cpu& cpu, const Insn&) {
  require_cpl0(cpu);
  cpu.cr0 &= ~cr0::kTs;
  cpu.leave_block = true;
}

void smsw(Cpu& cpu, const Insn& insn) {
  check_umip(cpu);
  write_word(cpu, insn, 0, cpu.cr0);
}

/// Sets PE, MP, EM and TS; PE cannot be cleared.
void lmsw(Cpu& cpu, const Insn& insn) {
  require_cpl0(cpu);
  const u64 value = read_word(cpu, insn, 0);
  write_cr0(cpu, (cpu.cr0 & ~u64{0xe}) | (value & 0xf));
}

void xgetbv(Cpu& cpu, const Insn&) {
  if ((cpu.cr4 & cr4::kOsxsave) == 0) raise(Vector::Ud);
  const u32 index = cpu.reg<u32>(Rcx);
  u64 value = cpu.xcr0;
  if (index == 1 && cpu.has(Feature::Xgetbv1)) {
    // XINUSE: what is not in its initial configuration. Everything is taken to be in use.
  } else if (index != 0) {
    raise(Vector::Gp, 0);
  }
  cpu.set_reg<u32>(Rax, static_cast<u32>(value));
  cpu.set_reg<u32>(Rdx, static_cast<u32>(value >> 32));
}

void xsetbv(Cpu& cpu, const Insn&) {
  if ((cpu.cr4 & cr4::kOsxsave) == 0) raise(Vector::Ud);
  require_cpl0(cpu);
  const u64 value = u64{cpu.reg<u32>(Rdx)} << 32 | cpu.reg<u32>(Rax);
  const bool valid = (value & ~xcr0_bits(*cpu.model)) == 0 && (value & 1) != 0 &&
                     ((value & 4) == 0 || (value & 2) != 0);
  if (cpu.reg<u32>(Rcx) != 0 || !valid) raise(Vector::Gp, 0);
  cpu.xcr0 = value;
  cpu.leave_block = true;
}

}  // namespace rhea::x86::system
