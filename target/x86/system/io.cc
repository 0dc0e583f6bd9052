// SPDX-License-Identifier: GPL-2.0-or-later
// IN and OUT, and who may use which port.
#include "target/x86/system/io.h"

#include "target/x86/system/checks.h"
#include "target/x86/system/debug.h"
#include "target/x86/system/functions.h"
#include "target/x86/system/tss.h"

namespace rhea::x86 {

void check_io(Cpu& cpu, u16 port, unsigned size) {
  if (cpu.mode == Mode::Real) return;
  if (cpu.mode != Mode::Virtual8086 && cpu.cpl <= cpu.iopl()) return;
  if (!system::io_permitted(cpu, port, size)) raise(Vector::Gp, 0);
}

u64 read_port(Cpu& cpu, u16 port, unsigned size) {
  const u64 value = cpu.bus->in(port, size);
  note_port(cpu, port, size);
  return value;
}

void write_port(Cpu& cpu, u16 port, u64 value, unsigned size) {
  cpu.bus->out(port, value, size);
  note_port(cpu, port, size);
}

namespace system {
namespace {

u16 port_of(const Cpu& cpu, const Operand& operand, const Insn& insn) {
  if (operand.kind == OperandKind::Immediate) return static_cast<u8>(insn.imm);
  return cpu.reg<u16>(Rdx);
}

}  // namespace

void in(Cpu& cpu, const Insn& insn) {
  const u16 port = port_of(cpu, insn.op[1], insn);
  const unsigned size = insn.op[0].size;
  check_io(cpu, port, size);
  const u64 value = read_port(cpu, port, size);
  if (size == 1)
    cpu.set_reg<u8>(Rax, static_cast<u8>(value));
  else
    set_reg_sized(cpu, Rax, value, size);
}

void out(Cpu& cpu, const Insn& insn) {
  const u16 port = port_of(cpu, insn.op[0], insn);
  const unsigned size = insn.op[1].size;
  check_io(cpu, port, size);
  write_port(cpu, port, cpu.gpr[Rax] & Cpu::size_mask(size), size);
}

}  // namespace system
}  // namespace rhea::x86
