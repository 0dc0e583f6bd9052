// SPDX-License-Identifier: GPL-2.0-or-later
// MOV, PUSH and POP with segment registers; LDS, LES, LSS, LFS, LGS.
#include "target/x86/system/checks.h"
#include "target/x86/system/functions.h"
#include "target/x86/system/segments.h"

namespace rhea::x86::system {

void mov_from_segment(Cpu& cpu, const Insn& insn) {
  write_word(cpu, insn, 0, cpu.seg[insn.op[1].reg].selector);
}

void mov_to_segment(Cpu& cpu, const Insn& insn) {
  const unsigned segment = insn.op[0].reg;
  if (segment == Cs || segment > Gs) raise(Vector::Ud);
  load_segment(cpu, segment, read_word(cpu, insn, 1));
  if (segment == Ss) cpu.shadow_next = cpu.traps_held = true;
}

/// A 32-bit push leaves the upper half of the stack slot alone on Intel's processors; AMD's write
/// zeros there.
void push_segment(Cpu& cpu, const Insn& insn) {
  const u16 selector = cpu.seg[insn.op[0].reg].selector;
  if (insn.operand_size != 4 || is_amd(cpu)) return cpu.push_sized(selector, insn.operand_size);
  const unsigned width = cpu.stack_address_size();
  const u64 sp = (cpu.gpr[Rsp] - 4) & Cpu::size_mask(width);
  cpu.write<u16>(Ss, sp, selector);
  cpu.set_sp(sp, width);
}

void pop_segment(Cpu& cpu, const Insn& insn) {
  const unsigned segment = insn.op[0].reg;
  // Another size of stack may be in force once SS is loaded.
  const unsigned width = cpu.stack_address_size();
  const u64 sp = cpu.gpr[Rsp] & Cpu::size_mask(width);
  // AMD's processors read all that they pop, Intel's the selector.
  const u64 popped = read_sized(cpu, Ss, sp, is_amd(cpu) ? insn.operand_size : 2U);
  load_segment(cpu, segment, static_cast<u16>(popped));
  cpu.set_sp((cpu.gpr[Rsp] + insn.operand_size) & Cpu::size_mask(width), width);
  if (segment == Ss) cpu.shadow_next = cpu.traps_held = true;
}

template <unsigned Segment>
void load_far_pointer(Cpu& cpu, const Insn& insn) {
  const u64 at = cpu.effective_address(insn);
  const unsigned size = far_offset_size(cpu, insn);
  const u64 offset = read_sized(cpu, insn.seg, at, size);
  const u64 behind = (at + size) & Cpu::size_mask(insn.address_size);
  const u16 selector = cpu.read<u16>(insn.seg, behind);
  load_segment(cpu, Segment, selector);
  set_reg_sized(cpu, insn.op[0].reg, offset, insn.operand_size);
}

template void load_far_pointer<Es>(Cpu&, const Insn&);
template void load_far_pointer<Ss>(Cpu&, const Insn&);
template void load_far_pointer<Ds>(Cpu&, const Insn&);
template void load_far_pointer<Fs>(Cpu&, const Insn&);
template void load_far_pointer<Gs>(Cpu&, const Insn&);

}  // namespace rhea::x86::system
