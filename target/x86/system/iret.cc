// SPDX-License-Identifier: GPL-2.0-or-later
// IRET in all modes (SDM vol. 2, IRET; vol. 3, 20.2.3).
#include "target/x86/system/far.h"
#include "target/x86/system/far_return.h"
#include "target/x86/system/functions.h"
#include "target/x86/system/segments.h"
#include "target/x86/system/stack.h"
#include "target/x86/system/task.h"

namespace rhea::x86::system {
namespace {

constexpr u64 kAlways = eflags::kStatus | eflags::kTf | eflags::kDf | eflags::kNt;

struct Frame {
  u64 offset{};
  u16 selector{};
  u64 flags{};
};

Frame pop_frame(Stack& stack, unsigned size) {
  Frame frame;
  frame.offset = stack.pop(size);
  frame.selector = static_cast<u16>(stack.pop(size));
  frame.flags = stack.pop(size);
  return frame;
}

void change_flags(Cpu& cpu, u64 value, u64 mask) {
  cpu.set_rflags((cpu.rflags() & ~mask) | (value & mask));
}

/// The flags that IRET may change at a level.
u64 flag_mask(const Cpu& cpu, unsigned size) {
  u64 mask = kAlways;
  if (size > 2) mask |= eflags::kRf | eflags::kAc | eflags::kId;
  if (cpu.cpl <= cpu.iopl()) mask |= eflags::kIf;
  if (cpu.cpl == 0) mask |= eflags::kIopl;
  if (cpu.cpl == 0 && size > 2) mask |= eflags::kVif | eflags::kVip;
  return mask;
}

void return_real(Cpu& cpu, unsigned size, u64 mask) {
  Stack stack(cpu);
  const Frame frame = pop_frame(stack, size);
  if (frame.offset > cpu.seg[Cs].limit) raise(Vector::Gp, 0);
  stack.commit();
  load_real_segment(cpu, Cs, frame.selector);
  cpu.set_rip(frame.offset);
  if (size > 2) mask |= eflags::kRf | eflags::kAc | eflags::kId;
  change_flags(cpu, frame.flags, mask);
  cpu.update_mode();
}

/// With virtual-8086 mode extensions and IOPL below 3: VIF in the place of IF.
void return_virtual_interrupts(Cpu& cpu) {
  Stack stack(cpu);
  const Frame frame = pop_frame(stack, 2);
  const bool enables = (frame.flags & eflags::kIf) != 0;
  if ((frame.flags & eflags::kTf) != 0 || (enables && cpu.eflag(eflags::kVip)))
    raise(Vector::Gp, 0);
  if (frame.offset > cpu.seg[Cs].limit) raise(Vector::Gp, 0);
  stack.commit();
  load_real_segment(cpu, Cs, frame.selector);
  cpu.set_rip(frame.offset);
  change_flags(cpu, frame.flags | (enables ? eflags::kVif : 0), kAlways | eflags::kVif);
  cpu.update_mode();
}

void return_from_virtual_8086(Cpu& cpu, unsigned size) {
  if (cpu.iopl() == 3) return return_real(cpu, size, kAlways | eflags::kIf);
  if (size != 2 || (cpu.cr4 & cr4::kVme) == 0) raise(Vector::Gp, 0);
  return_virtual_interrupts(cpu);
}

void return_to_virtual_8086(Cpu& cpu, Stack& stack, const Frame& frame) {
  const u64 sp = stack.pop(4);
  std::array<u16, 6> selectors{};
  for (const unsigned n : {Ss, Es, Ds, Fs, Gs}) selectors[n] = static_cast<u16>(stack.pop(4));
  selectors[Cs] = frame.selector;
  if (frame.offset > 0xffff) raise(Vector::Gp, 0);
  cpu.set_rflags(frame.flags & 0x003f'7fd5);
  for (unsigned n = 0; n < 6; ++n) cpu.seg[n] = virtual_8086_segment(selectors[n]);
  cpu.gpr[Rsp] = sp;
  cpu.set_rip(frame.offset);
  cpu.set_cpl(3);
}

void return_to_task(Cpu& cpu) {
  const u16 link = cpu.read_system<u16>(cpu.tr.base & 0xffff'ffff);
  switch_task(cpu, link, {.how = TaskSwitch::Return});
}

/// To protected-mode code of the same or an outer level. In 64-bit mode SS and RSP are always
/// popped.
void return_protected(Cpu& cpu, Stack& stack, const Frame& frame, unsigned size) {
  Descriptor code = check_return_code(cpu, frame.selector);
  const unsigned level = rpl_of(frame.selector);
  const bool outer = level > cpu.cpl;
  const u64 mask = flag_mask(cpu, size);
  if (!outer && !cpu.long_mode()) {
    check_offset(cpu, code, frame.offset);
    mark_accessed(cpu, code);
    stack.commit();
    change_flags(cpu, frame.flags, mask);
    return enter_code(cpu, frame.selector, code, level, frame.offset);
  }
  const u64 sp = stack.pop(size);
  const u16 stack_selector = static_cast<u16>(stack.pop(size));
  const SegmentRegister ss =
      check_return_stack(cpu, stack_selector, level, is_long_code(cpu, code));
  check_offset(cpu, code, frame.offset);
  mark_accessed(cpu, code);
  change_flags(cpu, frame.flags, mask);
  cpu.seg[Ss] = ss;
  enter_code(cpu, frame.selector, code, level, frame.offset);
  cpu.set_sp(sp, cpu.stack_address_size());
  if (outer) drop_inner_segments(cpu);
}

}  // namespace

void iret(Cpu& cpu, const Insn& insn) {
  const unsigned size = insn.operand_size;
  // NMIs are let in again even if IRET itself faults (SDM vol. 3, 6.7.1).
  cpu.nmi_blocked = false;
  if (cpu.mode == Mode::Real) return return_real(cpu, size, kAlways | eflags::kIf | eflags::kIopl);
  if (cpu.mode == Mode::Virtual8086) return return_from_virtual_8086(cpu, size);
  if (cpu.eflag(eflags::kNt)) {
    if (cpu.lma()) raise(Vector::Gp, 0);
    return return_to_task(cpu);
  }
  Stack stack(cpu);
  const Frame frame = pop_frame(stack, size);
  if (!cpu.lma() && cpu.cpl == 0 && size == 4 && (frame.flags & eflags::kVm) != 0)
    return return_to_virtual_8086(cpu, stack, frame);
  return_protected(cpu, stack, frame, size);
}

}  // namespace rhea::x86::system
