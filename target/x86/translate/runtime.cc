// SPDX-License-Identifier: GPL-2.0-or-later
// Host code that all blocks share, by the System V calling convention.
#include "target/x86/translate/runtime.h"

#include "target/x86/translate/residence.h"

namespace rhea::x86::translating {
namespace {

/// What a C++ function must find again; an even number, which with the return address and 8 bytes
/// more aligns the stack.
constexpr std::array<u8, 6> kPreserved{host::kRbx, host::kRbp, host::kR12,
                                       host::kR13, host::kR14, host::kR15};

void push(Assembler& a, unsigned reg) {
  if (reg >= 8) a.byte(0x41);
  a.byte(0x50 | (reg & 7));
}
void pop(Assembler& a, unsigned reg) {
  if (reg >= 8) a.byte(0x41);
  a.byte(0x58 | (reg & 7));
}

void store_registers(Assembler& a, const StateLayout& state) {
  for (const u8 reg : kResident) a.store(8, state.gpr(reg), guest(reg));
}
void load_registers(Assembler& a, const StateLayout& state) {
  for (const u8 reg : kResident) a.load(8, guest(reg), state.gpr(reg));
}
void move_stack(Assembler& a, i64 by) { a.alu_imm(8, kAdd, unsigned{host::kRsp}, by); }

void emit_return(Assembler& a) {
  move_stack(a, 8);
  for (unsigned n = kPreserved.size(); n-- > 0;) pop(a, kPreserved[n]);
  a.byte(0xc3);
}

}  // namespace

RuntimeCode emit_runtime(Assembler& a, const StateLayout& state) {
  RuntimeCode code;
  code.enter = a.here();
  for (const u8 reg : kPreserved) push(a, reg);
  move_stack(a, -8);
  a.mov(kState, host::kRdi);
  a.mov(kScratch0, host::kRsi);
  load_registers(a, state);
  a.op(4, {.byte = 0xff, .digit = true}, 4, kScratch0);  // JMP

  code.runtime.load = a.here();
  emit_load_resident(a, state);

  code.runtime.leave = a.here();
  store_registers(a, state);
  emit_spill_resident(a, state);
  a.mov(host::kRax, kScratch1);
  a.mov(host::kRdx, kScratch0);
  emit_return(a);

  // Called: the return address is on the stack.
  code.runtime.call = a.here();
  store_registers(a, state);
  emit_spill_resident(a, state);
  a.op(4, {.byte = 0xb6, .map = Opcode::Map0f}, host::kRax, Mem{.base = kScratch1, .disp = 8});
  a.store(1, state.kept, host::kRax);
  a.load(8, host::kRdi, state.owner);
  a.mov(host::kRsi, kScratch1);
  a.mov32(host::kRdx, kScratch0);
  move_stack(a, -8);
  a.call_through(state.call);
  move_stack(a, 8);
  a.op(8, {.byte = 0x85}, host::kRax, host::kRax);  // TEST
  u8* const elsewhere = a.jcc(kNotEqual);
  a.op(4, {.byte = 0xb6, .map = Opcode::Map0f}, kScratch0, state.kept);  // MOVZX
  a.op(4, {.byte = 0x85}, kScratch0, kScratch0);
  u8* const nothing_kept = a.jcc(kEqual);
  Assembler::bind(a.call(), code.runtime.load);
  u8* const refused = a.jcc(kBelow);
  a.bind_here(nothing_kept);
  a.op(4, {.byte = 0xb7, .map = Opcode::Map0f}, host::kRax, state.flags);  // MOVZX
  a.alu_imm(1, kAdd, unsigned{host::kRax}, 0x7f);
  a.byte(0x9e);  // SAHF
  load_registers(a, state);
  a.byte(0xc3);
  a.bind_here(refused);
  a.mov_imm(host::kRax, kLeave);
  a.bind_here(elsewhere);
  move_stack(a, 8);
  a.mov(kScratch0, host::kRax);
  a.alu_imm(8, kCmp, unsigned{host::kRax}, kLeave);
  u8* const out = a.jcc(kEqual);
  load_registers(a, state);
  a.op(4, {.byte = 0xff, .digit = true}, 4, kScratch0);  // JMP
  a.bind_here(out);
  a.alu(4, kXor, host::kRax, unsigned{host::kRax});
  emit_return(a);
  return code;
}

}  // namespace rhea::x86::translating
