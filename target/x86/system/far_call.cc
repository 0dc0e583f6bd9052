// SPDX-License-Identifier: GPL-2.0-or-later
// CALL to another segment: directly, through a call gate to the same or an inner level, to a task.
#include "target/x86/system/far.h"
#include "target/x86/system/functions.h"
#include "target/x86/system/segments.h"
#include "target/x86/system/stack.h"
#include "target/x86/system/task.h"
#include "target/x86/system/tss.h"

#include <array>

namespace rhea::x86::system {
namespace {

void push_return(Cpu& cpu, Stack& stack, unsigned size) {
  stack.push(cpu.seg[Cs].selector, size);
  stack.push(cpu.rip(), size);
}

void call_real(Cpu& cpu, const FarPointer& to, unsigned size) {
  Stack stack(cpu);
  if (to.offset > cpu.seg[Cs].limit) raise(Vector::Gp, 0);
  push_return(cpu, stack, size);
  stack.commit();
  load_real_segment(cpu, Cs, to.selector);
  cpu.set_rip(to.offset);
  cpu.update_mode();
}

/// To code of the same level.
void call_same_level(Cpu& cpu, u16 selector, Descriptor& code, u64 offset, unsigned size) {
  Stack stack(cpu);
  check_offset(cpu, code, offset);
  push_return(cpu, stack, size);
  mark_accessed(cpu, code);
  stack.commit();
  enter_code(cpu, selector, code, cpu.cpl, offset);
}

void call_direct(Cpu& cpu, const FarPointer& to, Descriptor& code, unsigned size) {
  if (!code.is_code()) raise(Vector::Gp, selector_error(to.selector));
  check_direct(cpu, to.selector, code);
  call_same_level(cpu, to.selector, code, offset_within(cpu, code, to), size);
}

struct NewStack {
  SegmentRegister ss;
  Stack stack;
};

NewStack find_inner_stack(Cpu& cpu, unsigned level) {
  if (cpu.lma()) {
    const u64 rsp = inner_rsp(cpu, level);
    const SegmentRegister ss = null_stack(static_cast<u16>(level), level);
    return {ss, Stack(cpu, ss, rsp, 8, level, 0)};
  }
  const InnerStack inner = inner_stack(cpu, level);
  const SegmentRegister ss = check_stack_segment(cpu, inner.ss, level, Vector::Ts);
  return {ss, Stack(cpu, ss, inner.sp, ss.db() ? 4 : 2, level, selector_error(inner.ss))};
}

void copy_parameters(Cpu& cpu, Stack& to, const GateTarget& target) {
  std::array<u64, 32> values{};
  Stack from(cpu);
  for (unsigned i = 0; i < target.parameters; ++i) values[i] = from.pop(target.size);
  for (unsigned i = target.parameters; i-- > 0;) to.push(values[i], target.size);
}

void call_inner_level(Cpu& cpu, GateTarget& target) {
  const unsigned level = target.code.dpl();
  auto [ss, stack] = find_inner_stack(cpu, level);
  check_offset(cpu, target.code, target.offset);
  stack.push(cpu.seg[Ss].selector, target.size);
  stack.push(cpu.gpr[Rsp], target.size);
  copy_parameters(cpu, stack, target);
  push_return(cpu, stack, target.size);
  mark_accessed(cpu, target.code);
  cpu.seg[Ss] = ss;
  stack.commit();
  enter_code(cpu, target.selector, target.code, level, target.offset);
}

void call_through_gate(Cpu& cpu, u16 selector, const Descriptor& gate) {
  GateTarget target = fetch_gate_target(cpu, selector, gate);
  if (!target.code.is_conforming() && target.code.dpl() < cpu.cpl)
    return call_inner_level(cpu, target);
  call_same_level(cpu, target.selector, target.code, target.offset, target.size);
}

}  // namespace

void callf(Cpu& cpu, const Insn& insn) {
  const FarPointer to = far_operand(cpu, insn);
  if (cpu.mode == Mode::Real || cpu.mode == Mode::Virtual8086)
    return call_real(cpu, to, insn.operand_size);
  Descriptor d = fetch_target(cpu, to.selector);
  if (d.s()) return call_direct(cpu, to, d, insn.operand_size);
  switch (d.type()) {
    case kCallGate16:
    case kCallGate32: return call_through_gate(cpu, to.selector, d);
    case kTaskGate:
      check_gate_access(cpu, to.selector, d);
      return switch_task(cpu, d.gate_selector(), {.how = TaskSwitch::Call});
    case kTss16:
    case kTss32:
      check_gate_access(cpu, to.selector, d);
      return switch_task(cpu, to.selector, {.how = TaskSwitch::Call});
    default: raise(Vector::Gp, selector_error(to.selector));
  }
}

}  // namespace rhea::x86::system
