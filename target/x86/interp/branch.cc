// SPDX-License-Identifier: GPL-2.0-or-later
// Near branches, calls and returns.
#include "target/x86/interp/operand.h"

#include <array>

namespace rhea::x86::interp {
namespace {

u64 relative_target(const Cpu& cpu, const Insn& insn) { return cpu.rip() + insn.imm; }

u64 absolute_target(Cpu& cpu, const Insn& insn) {
  const bool memory = insn.op[0].kind == OperandKind::Memory;
  switch (insn.operand_size) {
    case 2: return memory ? InMemory::get<u16>(cpu, insn) : cpu.reg<u16>(insn.op[0].reg);
    case 4: return memory ? InMemory::get<u32>(cpu, insn) : cpu.reg<u32>(insn.op[0].reg);
    default: return memory ? InMemory::get<u64>(cpu, insn) : cpu.gpr[insn.op[0].reg];
  }
}

void jump_relative(Cpu& cpu, const Insn& insn) {
  cpu.branch_to(relative_target(cpu, insn), insn.operand_size);
}
void jump_absolute(Cpu& cpu, const Insn& insn) {
  cpu.branch_to(absolute_target(cpu, insn), insn.operand_size);
}
Execute bind_jmp(const Insn& insn) {
  return insn.op[0].kind == OperandKind::Relative ? &jump_relative : &jump_absolute;
}

// Blocks go on behind it.
void jcc(Cpu& cpu, const Insn& insn) {
  if (!condition(cpu.flags, insn.opcode & 0xf)) return;
  jump_relative(cpu, insn);
  cpu.leave_block = true;
}

// Neither the push nor the branch may happen without the other; the stack is checked first.
void call_to(Cpu& cpu, const Insn& insn, u64 target) {
  const u64 next = cpu.rip();
  const unsigned size = insn.operand_size;
  cpu.probe_write(Ss, (cpu.gpr[Rsp] - size) & Cpu::size_mask(cpu.stack_address_size()), size);
  cpu.branch_to(target, size);
  cpu.push_sized(next, size);
}
void call_relative(Cpu& cpu, const Insn& insn) { call_to(cpu, insn, relative_target(cpu, insn)); }
void call_absolute(Cpu& cpu, const Insn& insn) { call_to(cpu, insn, absolute_target(cpu, insn)); }
Execute bind_call(const Insn& insn) {
  return insn.op[0].kind == OperandKind::Relative ? &call_relative : &call_absolute;
}

void ret(Cpu& cpu, const Insn& insn) {
  const unsigned width = cpu.stack_address_size();
  const u64 sp = cpu.gpr[Rsp] & Cpu::size_mask(width);
  const unsigned size = insn.operand_size;
  const u64 target = size == 8   ? cpu.read<u64>(Ss, sp)
                     : size == 4 ? cpu.read<u32>(Ss, sp)
                                 : cpu.read<u16>(Ss, sp);
  cpu.branch_to(target, size);
  const u64 released = insn.op[0].kind == OperandKind::Immediate ? insn.imm & 0xffff : 0;
  cpu.set_sp((cpu.gpr[Rsp] + size + released) & Cpu::size_mask(width), width);
}

// LOOP and JCXZ count in rCX of the address size.
u64 count_after(Cpu& cpu, const Insn& insn, i64 change) {
  const u64 mask = Cpu::size_mask(insn.address_size);
  return (cpu.gpr[Rcx] + static_cast<u64>(change)) & mask;
}
void set_count(Cpu& cpu, const Insn& insn, u64 count) {
  if (insn.address_size == 2)
    cpu.set_reg<u16>(Rcx, static_cast<u16>(count));
  else
    cpu.gpr[Rcx] = count;
}

enum class Until : u8 { Zero, ZeroOrNotEqual, ZeroOrEqual };
template <Until Kind>
void loop(Cpu& cpu, const Insn& insn) {
  const u64 count = count_after(cpu, insn, -1);
  const bool goes_on =
      count != 0 && (Kind == Until::Zero || cpu.flags.zf() == (Kind == Until::ZeroOrNotEqual));
  if (goes_on) jump_relative(cpu, insn);
  set_count(cpu, insn, count);
}

void jcxz(Cpu& cpu, const Insn& insn) {
  if (count_after(cpu, insn, 0) == 0) jump_relative(cpu, insn);
}

constexpr std::array kBindings = {
    Binding{"jmp", &bind_jmp},
    Binding{"jcc", &always<&jcc>},
    Binding{"call", &bind_call},
    Binding{"ret", &always<&ret>},
    Binding{"loop", &always<&loop<Until::Zero>>},
    Binding{"loope", &always<&loop<Until::ZeroOrNotEqual>>},
    Binding{"loopne", &always<&loop<Until::ZeroOrEqual>>},
    Binding{"jcxz", &always<&jcxz>},
};

}  // namespace

std::span<const Binding> branch_bindings() { return kBindings; }

}  // namespace rhea::x86::interp
