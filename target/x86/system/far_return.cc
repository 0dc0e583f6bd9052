// SPDX-License-Identifier: GPL-2.0-or-later
// RET to another segment, at the same or an outer level.
#include "target/x86/system/far_return.h"

#include "target/x86/system/far.h"
#include "target/x86/system/functions.h"
#include "target/x86/system/segments.h"
#include "target/x86/system/stack.h"

namespace rhea::x86::system {
namespace {

void return_real(Cpu& cpu, unsigned size, u64 release) {
  Stack stack(cpu);
  const u64 offset = stack.pop(size);
  const u16 selector = static_cast<u16>(stack.pop(size));
  if (offset > cpu.seg[Cs].limit) raise(Vector::Gp, 0);
  stack.skip(release);
  stack.commit();
  load_real_segment(cpu, Cs, selector);
  cpu.set_rip(offset);
  cpu.update_mode();
}

}  // namespace

Descriptor check_return_code(Cpu& cpu, u16 selector) {
  if (is_null(selector)) raise(Vector::Gp, 0);
  Descriptor code = fetch_descriptor(cpu, selector);
  const unsigned level = rpl_of(selector);
  const u32 error = selector_error(selector);
  if (!code.is_code() || level < cpu.cpl) raise(Vector::Gp, error);
  if (code.is_conforming() ? code.dpl() > level : code.dpl() != level) raise(Vector::Gp, error);
  check_code_form(cpu, selector, code);
  return code;
}

SegmentRegister check_return_stack(Cpu& cpu, u16 selector, unsigned level, bool long_code) {
  if (!is_null(selector)) return check_stack_segment(cpu, selector, level, Vector::Gp);
  if (!long_code || level == 3 || rpl_of(selector) != level) raise(Vector::Gp, 0);
  return null_stack(selector, level);
}

void retf(Cpu& cpu, const Insn& insn) {
  const unsigned size = insn.operand_size;
  const u64 release = insn.op[0].kind == OperandKind::Immediate ? insn.imm & 0xffff : 0;
  if (cpu.mode == Mode::Real || cpu.mode == Mode::Virtual8086)
    return return_real(cpu, size, release);
  Stack stack(cpu);
  const u64 offset = stack.pop(size);
  const u16 selector = static_cast<u16>(stack.pop(size));
  Descriptor code = check_return_code(cpu, selector);
  const unsigned level = rpl_of(selector);
  stack.skip(release);
  if (level == cpu.cpl) {
    check_offset(cpu, code, offset);
    mark_accessed(cpu, code);
    stack.commit();
    return enter_code(cpu, selector, code, level, offset);
  }
  const u64 sp = stack.pop(size);
  const u16 stack_selector = static_cast<u16>(stack.pop(size));
  const SegmentRegister ss =
      check_return_stack(cpu, stack_selector, level, is_long_code(cpu, code));
  check_offset(cpu, code, offset);
  mark_accessed(cpu, code);
  cpu.seg[Ss] = ss;
  enter_code(cpu, selector, code, level, offset);
  const unsigned width = cpu.stack_address_size();
  cpu.set_sp((sp + release) & Cpu::size_mask(width), width);
  drop_inner_segments(cpu);
}

}  // namespace rhea::x86::system
