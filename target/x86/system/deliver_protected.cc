// SPDX-License-Identifier: GPL-2.0-or-later
// Interrupts through the gates of the IDT: task, interrupt and trap gates of 16, 32 and 64 bits
// (SDM vol. 3, 6.11 to 6.14).
#include "target/x86/system/delivery.h"
#include "target/x86/system/far.h"
#include "target/x86/system/segments.h"
#include "target/x86/system/stack.h"
#include "target/x86/system/task.h"
#include "target/x86/system/tss.h"

namespace rhea::x86::system {
namespace {

struct Handler {
  Descriptor code;
  u16 selector{};
  u64 offset{};
  unsigned size{};  ///< of what is pushed: 2, 4, 8
  unsigned level{};
  bool clears_if{};
  unsigned stack_table{};
};

struct HandlerStack {
  Stack stack;
  SegmentRegister ss;
};

bool is_gate(const Cpu& cpu, const Descriptor& d) {
  if (d.s()) return false;
  if (d.type() == kInterruptGate32 || d.type() == kTrapGate32) return true;
  return !cpu.lma() &&
         (d.type() == kTaskGate || d.type() == kInterruptGate16 || d.type() == kTrapGate16);
}

Descriptor fetch_gate(Cpu& cpu, const Event& event) {
  const unsigned entry = cpu.lma() ? 16 : 8;
  const u32 error = event.vector * 8u + 2 + external_bit(event);
  const u32 offset = event.vector * entry;
  if (offset + entry - 1 > cpu.idtr.limit) raise(Vector::Gp, error);
  Descriptor gate;
  gate.address = cpu.idtr.base + offset;
  if (!cpu.lma()) gate.address &= 0xffff'ffff;
  gate.low = cpu.read_system<u64>(gate.address);
  if (cpu.lma()) gate.high = cpu.read_system<u64>(gate.address + 8) & 0xffff'ffff;
  if (!is_gate(cpu, gate)) raise(Vector::Gp, error);
  const bool software =
      event.kind == EventKind::SoftwareInterrupt || event.kind == EventKind::SoftwareException;
  if (software && gate.dpl() < cpu.cpl) raise(Vector::Gp, error);
  if (!gate.present()) raise(Vector::Np, error);
  return gate;
}

Handler fetch_handler(Cpu& cpu, const Descriptor& gate, u32 external) {
  Handler handler;
  handler.selector = gate.gate_selector();
  handler.size = cpu.lma() ? 8 : (gate.type() & 8) != 0 ? 4 : 2;
  handler.offset = gate.gate_offset() & Cpu::size_mask(handler.size);
  handler.clears_if = (gate.type() & 1) == 0;
  handler.stack_table = cpu.lma() ? gate.stack_table() : 0;
  if (is_null(handler.selector)) raise(Vector::Gp, external);
  handler.code = fetch_descriptor(cpu, handler.selector, Vector::Gp, external);
  const u32 error = selector_error(handler.selector, external);
  if (!handler.code.is_code() || handler.code.dpl() > cpu.cpl) raise(Vector::Gp, error);
  if (cpu.lma() && (!handler.code.l() || handler.code.db())) raise(Vector::Gp, error);
  if (!handler.code.present()) raise(Vector::Np, error);
  handler.level = handler.code.is_conforming() ? cpu.cpl : handler.code.dpl();
  if (cpu.mode == Mode::Virtual8086 && handler.level != 0) raise(Vector::Gp, error);
  const bool inside =
      cpu.lma() ? cpu.canonical(handler.offset) : handler.offset <= handler.code.limit();
  if (!inside) raise(Vector::Gp, external);
  return handler;
}

HandlerStack long_stack(Cpu& cpu, const Handler& handler, u32 external) {
  const bool inner = handler.level < cpu.cpl;
  u64 rsp = cpu.gpr[Rsp];
  if (handler.stack_table != 0)
    rsp = interrupt_stack(cpu, handler.stack_table, external);
  else if (inner)
    rsp = inner_rsp(cpu, handler.level, external);
  const SegmentRegister ss =
      inner ? null_stack(static_cast<u16>(handler.level), handler.level) : cpu.seg[Ss];
  HandlerStack made{Stack(cpu, ss, rsp, 8, handler.level, external), ss};
  made.stack.align(16);
  return made;
}

HandlerStack protected_stack(Cpu& cpu, const Handler& handler, u32 external) {
  if (handler.level == cpu.cpl) {
    const unsigned width = cpu.stack_address_size();
    return {Stack(cpu, cpu.seg[Ss], cpu.gpr[Rsp], width, cpu.cpl, external), cpu.seg[Ss]};
  }
  const InnerStack inner = inner_stack(cpu, handler.level, external);
  const SegmentRegister ss =
      check_stack_segment(cpu, inner.ss, handler.level, Vector::Ts, external);
  return {
      Stack(cpu, ss, inner.sp, ss.db() ? 4 : 2, handler.level, selector_error(inner.ss, external)),
      ss};
}

void push_frame(Cpu& cpu, const Event& event, const Handler& handler, Stack& stack) {
  const unsigned size = handler.size;
  if (cpu.mode == Mode::Virtual8086)
    for (const unsigned n : {Gs, Fs, Ds, Es}) stack.push(cpu.seg[n].selector, size);
  if (cpu.lma() || handler.level < cpu.cpl) {
    stack.push(cpu.seg[Ss].selector, size);
    stack.push(cpu.gpr[Rsp], size);
  }
  stack.push(pushed_flags(cpu, event), size);
  stack.push(cpu.seg[Cs].selector, size);
  stack.push(cpu.rip(), size);
  if (event.has_error) stack.push(event.error, size);
}

void enter_handler(Cpu& cpu, const Event& event, Handler& handler) {
  const u32 external = external_bit(event);
  HandlerStack to =
      cpu.lma() ? long_stack(cpu, handler, external) : protected_stack(cpu, handler, external);
  push_frame(cpu, event, handler, to.stack);
  mark_accessed(cpu, handler.code);
  if (cpu.mode == Mode::Virtual8086)
    for (const unsigned n : {Gs, Fs, Ds, Es}) cpu.seg[n] = null_segment(cpu, cpu.seg[n], 0);
  cpu.seg[Ss] = to.ss;
  to.stack.commit();
  u64 cleared = eflags::kTf | eflags::kVm | eflags::kRf | eflags::kNt;
  if (handler.clears_if) cleared |= eflags::kIf;
  cpu.set_rflags(cpu.rflags() & ~cleared);
  enter_code(cpu, handler.selector, handler.code, handler.level, handler.offset);
}

}  // namespace

void deliver_protected(Cpu& cpu, const Event& event) {
  const Descriptor gate = fetch_gate(cpu, event);
  if (gate.type() == kTaskGate) {
    TaskSwitch request{.how = TaskSwitch::Interrupt, .external = external_bit(event)};
    if (event.has_error) request.error = event.error;
    request.resume = event.resume;
    return switch_task(cpu, gate.gate_selector(), request);
  }
  Handler handler = fetch_handler(cpu, gate, external_bit(event));
  enter_handler(cpu, event, handler);
}

}  // namespace rhea::x86::system
