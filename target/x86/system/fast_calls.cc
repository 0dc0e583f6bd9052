// SPDX-License-Identifier: GPL-2.0-or-later
// SYSCALL, SYSRET, SYSENTER and SYSEXIT, as AMD's and Intel's processors do them.
#include "target/x86/system/checks.h"
#include "target/x86/system/functions.h"
#include "target/x86/system/segments.h"

namespace rhea::x86::system {
namespace {

/// Intel's processors know SYSCALL and SYSRET in 64-bit mode only.
void check_syscall(const Cpu& cpu) {
  if ((cpu.efer & efer::kSce) == 0) raise(Vector::Ud);
  if (!cpu.long_mode() && !is_amd(cpu)) raise(Vector::Ud);
  require_protected(cpu);
}

/// AMD's processors know SYSENTER and SYSEXIT outside long mode only.
void check_sysenter(const Cpu& cpu) {
  if (is_amd(cpu) && cpu.lma()) raise(Vector::Ud);
  if (!cpu.protected_mode() || (cpu.sysenter_cs & 0xfffc) == 0) raise(Vector::Gp, 0);
}

void enter(Cpu& cpu, const SegmentRegister& code, const SegmentRegister& stack, unsigned level) {
  cpu.seg[Cs] = code;
  cpu.seg[Ss] = stack;
  cpu.set_cpl(level);
  // The new flags count: SFMASK keeps a single-stepped program from trapping in the kernel.
  cpu.traced = false;
  if (cpu.eflag(eflags::kTf)) cpu.pending_db |= dr6::kBs;
  cpu.leave_block = true;
}

}  // namespace

void syscall(Cpu& cpu, const Insn&) {
  check_syscall(cpu);
  const u16 selector = static_cast<u16>(cpu.star >> 32 & 0xfffc);
  const SegmentRegister stack = flat_stack(static_cast<u16>(selector + 8), 0);
  if (!cpu.lma()) {
    cpu.gpr[Rcx] = cpu.rip();
    cpu.set_rip(cpu.star & 0xffff'ffff);
    cpu.set_rflags(cpu.rflags() & ~(eflags::kIf | eflags::kVm | eflags::kRf));
    return enter(cpu, flat_code(selector, 0, false), stack, 0);
  }
  cpu.gpr[Rcx] = cpu.rip();
  cpu.gpr[R11] = cpu.rflags() & ~eflags::kRf;
  cpu.set_rip(cpu.long_mode() ? cpu.lstar : cpu.cstar);
  cpu.set_rflags(cpu.rflags() & ~(cpu.sfmask | eflags::kRf));
  enter(cpu, flat_code(selector, 0, true), stack, 0);
}

void sysret(Cpu& cpu, const Insn& insn) {
  check_syscall(cpu);
  require_cpl0(cpu);
  const u16 base = static_cast<u16>(cpu.star >> 48);
  const SegmentRegister stack = flat_stack(static_cast<u16>((base + 8) | 3), 3);
  if (!cpu.lma()) {
    cpu.set_rip(cpu.gpr[Rcx] & 0xffff'ffff);
    cpu.set_rflags(cpu.rflags() | eflags::kIf);
    return enter(cpu, flat_code(base | 3, 3, false), stack, 3);
  }
  const bool to_long = insn.operand_size == 8;
  const u64 target = to_long ? cpu.gpr[Rcx] : cpu.gpr[Rcx] & 0xffff'ffff;
  // AMD's raise it at the target instead.
  if (to_long && !cpu.canonical(target) && !is_amd(cpu)) raise(Vector::Gp, 0);
  cpu.set_rip(target);
  cpu.set_rflags(cpu.gpr[R11] & 0x003c'7fd7);
  const u16 selector = static_cast<u16>((to_long ? base + 16 : base) | 3);
  enter(cpu, flat_code(selector, 3, to_long), stack, 3);
}

void sysenter(Cpu& cpu, const Insn&) {
  check_sysenter(cpu);
  const u16 selector = static_cast<u16>(cpu.sysenter_cs & 0xfffc);
  const u64 mask = cpu.lma() ? ~u64{0} : 0xffff'ffff;
  cpu.set_rflags(cpu.rflags() & ~(eflags::kVm | eflags::kIf | eflags::kRf));
  cpu.set_rip(cpu.sysenter_eip & mask);
  cpu.gpr[Rsp] = cpu.sysenter_esp & mask;
  enter(cpu, flat_code(selector, 0, cpu.lma()), flat_stack(static_cast<u16>(selector + 8), 0), 0);
}

void sysexit(Cpu& cpu, const Insn& insn) {
  require_cpl0(cpu);
  check_sysenter(cpu);
  const bool to_long = insn.operand_size == 8 && cpu.lma();
  const u64 mask = to_long ? ~u64{0} : 0xffff'ffff;
  const u64 target = cpu.gpr[Rdx] & mask;
  const u64 sp = cpu.gpr[Rcx] & mask;
  if (to_long && (!cpu.canonical(target) || !cpu.canonical(sp))) raise(Vector::Gp, 0);
  const auto selector = static_cast<u16>((cpu.sysenter_cs + (to_long ? 32 : 16)) | 3);
  cpu.set_rip(target);
  cpu.gpr[Rsp] = sp;
  enter(cpu, flat_code(selector, 3, to_long), flat_stack(static_cast<u16>((selector + 8) | 3), 3),
        3);
}

}  // namespace rhea::x86::system
