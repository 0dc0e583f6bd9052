// SPDX-License-Identifier: GPL-2.0-or-later
// JMP to another segment: directly, through a call gate, to a task.
#include "target/x86/system/far.h"
#include "target/x86/system/functions.h"
#include "target/x86/system/segments.h"
#include "target/x86/system/task.h"

namespace rhea::x86::system {
namespace {

void jump_direct(Cpu& cpu, const FarPointer& to, Descriptor& code) {
  if (!code.is_code()) raise(Vector::Gp, selector_error(to.selector));
  check_direct(cpu, to.selector, code);
  const u64 offset = offset_within(cpu, code, to);
  check_offset(cpu, code, offset);
  mark_accessed(cpu, code);
  enter_code(cpu, to.selector, code, cpu.cpl, offset);
}

void jump_through_gate(Cpu& cpu, u16 selector, const Descriptor& gate) {
  GateTarget target = fetch_gate_target(cpu, selector, gate);
  if (!target.code.is_conforming() && target.code.dpl() != cpu.cpl)
    raise(Vector::Gp, selector_error(target.selector));
  check_offset(cpu, target.code, target.offset);
  mark_accessed(cpu, target.code);
  enter_code(cpu, target.selector, target.code, cpu.cpl, target.offset);
}

}  // namespace

void jmpf(Cpu& cpu, const Insn& insn) {
  const FarPointer to = far_operand(cpu, insn);
  if (cpu.mode == Mode::Real || cpu.mode == Mode::Virtual8086) {
    if (to.offset > cpu.seg[Cs].limit) raise(Vector::Gp, 0);
    load_real_segment(cpu, Cs, to.selector);
    cpu.set_rip(to.offset);
    return cpu.update_mode();
  }
  Descriptor d = fetch_target(cpu, to.selector);
  if (d.s()) return jump_direct(cpu, to, d);
  switch (d.type()) {
    case kCallGate16:
    case kCallGate32: return jump_through_gate(cpu, to.selector, d);
    case kTaskGate:
      check_gate_access(cpu, to.selector, d);
      return switch_task(cpu, d.gate_selector(), {.how = TaskSwitch::Jump});
    case kTss16:
    case kTss32:
      check_gate_access(cpu, to.selector, d);
      return switch_task(cpu, to.selector, {.how = TaskSwitch::Jump});
    default: raise(Vector::Gp, selector_error(to.selector));
  }
}

}  // namespace rhea::x86::system
