// SPDX-License-Identifier: GPL-2.0-or-later
// Checks of code segments and call gates.
#include "target/x86/system/far.h"

#include "target/x86/system/checks.h"
#include "target/x86/system/segments.h"

#include <algorithm>

namespace rhea::x86::system {

FarPointer far_operand(Cpu& cpu, const Insn& insn) {
  if (insn.op[0].kind != OperandKind::Memory)
    return {.selector = insn.imm2, .offset = insn.imm & Cpu::size_mask(insn.operand_size)};
  const u64 at = cpu.effective_address(insn);
  const unsigned size = far_offset_size(cpu, insn);
  const u64 offset = read_sized(cpu, insn.seg, at, size);
  const u64 behind = (at + size) & Cpu::size_mask(insn.address_size);
  return {.selector = cpu.read<u16>(insn.seg, behind), .offset = offset};
}

Descriptor fetch_target(Cpu& cpu, u16 selector) {
  if (is_null(selector)) raise(Vector::Gp, 0);
  Descriptor d = fetch_descriptor(cpu, selector);
  if (!d.s() && cpu.lma()) {
    // The only system descriptor that code may be reached through.
    if (d.type() != kCallGate32) raise(Vector::Gp, selector_error(selector));
    fetch_upper_half(cpu, selector, d);
  }
  return d;
}

bool is_long_code(const Cpu& cpu, const Descriptor& code) { return cpu.lma() && code.l(); }

void check_code_form(const Cpu& cpu, u16 selector, const Descriptor& code, u32 external) {
  if (cpu.lma() && code.l() && code.db()) raise(Vector::Gp, selector_error(selector, external));
  if (!code.present()) raise(Vector::Np, selector_error(selector, external));
}

void check_direct(const Cpu& cpu, u16 selector, const Descriptor& code) {
  const bool allowed = code.is_conforming() ? code.dpl() <= cpu.cpl
                                            : code.dpl() == cpu.cpl && rpl_of(selector) <= cpu.cpl;
  if (!allowed) raise(Vector::Gp, selector_error(selector));
  check_code_form(cpu, selector, code);
}

// Out of 64-bit mode a far pointer with an offset of 64 bits leads to where the lower 32 say, by
// Intel's processors; AMD's have no such pointers.
u64 offset_within(const Cpu& cpu, const Descriptor& code, const FarPointer& to) {
  return is_long_code(cpu, code) ? to.offset : to.offset & 0xffff'ffff;
}

void check_offset(const Cpu& cpu, const Descriptor& code, u64 offset) {
  const bool inside = is_long_code(cpu, code) ? cpu.canonical(offset) : offset <= code.limit();
  if (!inside) raise(Vector::Gp, 0);
}

void check_offset(const Cpu& cpu, const SegmentRegister& code, u64 offset) {
  const bool inside = cpu.lma() && code.l() ? cpu.canonical(offset) : offset <= code.limit;
  if (!inside) raise(Vector::Gp, 0);
}

void enter_code(Cpu& cpu, u16 selector, Descriptor& code, unsigned level, u64 offset) {
  cpu.seg[Cs] = segment_from(static_cast<u16>((selector & ~3) | level), code);
  cpu.set_cpl(level);
  cpu.set_rip(offset);
}

void check_gate_access(const Cpu& cpu, u16 selector, const Descriptor& gate) {
  if (gate.dpl() < std::max<unsigned>(cpu.cpl, rpl_of(selector)))
    raise(Vector::Gp, selector_error(selector));
  if (!gate.present()) raise(Vector::Np, selector_error(selector));
}

bool is_available_tss(const Descriptor& descriptor) {
  return !descriptor.s() && (descriptor.type() == kTss16 || descriptor.type() == kTss32);
}

GateTarget fetch_gate_target(Cpu& cpu, u16 selector, const Descriptor& gate) {
  check_gate_access(cpu, selector, gate);
  GateTarget target;
  target.selector = gate.gate_selector();
  target.size = cpu.lma() ? 8 : gate.type() == kCallGate16 ? 2 : 4;
  target.offset = gate.gate_offset() & Cpu::size_mask(target.size);
  target.parameters = cpu.lma() ? 0 : gate.parameters();
  if (is_null(target.selector)) raise(Vector::Gp, 0);
  target.code = fetch_descriptor(cpu, target.selector);
  const u32 error = selector_error(target.selector);
  if (!target.code.is_code() || target.code.dpl() > cpu.cpl) raise(Vector::Gp, error);
  if (cpu.lma() && (!target.code.l() || target.code.db())) raise(Vector::Gp, error);
  if (!target.code.present()) raise(Vector::Np, error);
  return target;
}

}  // namespace rhea::x86::system
