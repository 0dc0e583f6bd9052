// SPDX-License-Identifier: GPL-2.0-or-later
// Interrupts in real mode, and those that virtual-8086 mode's extensions keep in the 8086 program
// (SDM vol. 3, 20.1.4 and 20.3).
#include "target/x86/system/delivery.h"
#include "target/x86/system/segments.h"
#include "target/x86/system/stack.h"
#include "target/x86/system/tss.h"

namespace rhea::x86::system {
namespace {

void enter_vector(Cpu& cpu, u64 table, u8 vector, u16 flags) {
  const u32 target = cpu.read_system<u32>((table + 4u * vector) & 0xffff'ffff);
  if ((target & 0xffff) > cpu.seg[Cs].limit) raise(Vector::Gp, 0);
  Stack stack(cpu);
  stack.push(flags, 2);
  stack.push(cpu.seg[Cs].selector, 2);
  stack.push(cpu.rip(), 2);
  stack.commit();
  load_real_segment(cpu, Cs, static_cast<u16>(target >> 16));
  cpu.set_rip(target & 0xffff);
}

}  // namespace

void deliver_real(Cpu& cpu, const Event& event) {
  if (event.vector * 4u + 3 > cpu.idtr.limit)
    raise(Vector::Gp, event.vector * 8u + 2 + external_bit(event));
  enter_vector(cpu, cpu.idtr.base, event.vector, static_cast<u16>(cpu.rflags()));
  cpu.set_rflags(cpu.rflags() & ~(eflags::kIf | eflags::kTf | eflags::kAc | eflags::kRf));
  cpu.update_mode();
}

bool deliver_virtual_8086(Cpu& cpu, const Event& event) {
  const bool vme = (cpu.cr4 & cr4::kVme) != 0;
  if (!vme || !redirects_to_8086(cpu, event.vector)) {
    if (cpu.iopl() < 3) raise(Vector::Gp, 0);
    return false;
  }
  const u64 old = cpu.rflags();
  u64 pushed = old;
  u64 cleared = eflags::kTf | eflags::kNt;
  if (cpu.iopl() < 3) {
    pushed = (old & ~eflags::kIf) | eflags::kIopl;
    if ((old & eflags::kVif) != 0) pushed |= eflags::kIf;
    cleared |= eflags::kVif;
  } else {
    cleared |= eflags::kIf;
  }
  enter_vector(cpu, 0, event.vector, static_cast<u16>(pushed));
  cpu.set_rflags(old & ~cleared);
  cpu.update_mode();
  return true;
}

}  // namespace rhea::x86::system
