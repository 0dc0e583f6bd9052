// SPDX-License-Identifier: GPL-2.0-or-later
// Near jumps, calls and returns.
#include "target/x86/translate/translator.h"

#include <array>

namespace rhea::x86::translating {
namespace {

/// RIP is cut to the operand size. Code of 32 bits hardly ever has it cut to 16.
bool is_usual(const Translator& t, const Insn& insn) {
  if (t.mode.long_mode()) return insn.operand_size == 8;
  return insn.operand_size == 4 || t.mode.code_bits == 16;
}
bool cuts(const Insn& insn) { return insn.operand_size == 2; }

/// Where a relative branch leads, if that can be emitted.
bool target(const Translator& t, const Insn& insn, i64& offset) {
  offset = t.next_offset() + static_cast<i64>(insn.imm);
  return is_usual(t, insn);
}

bool jump_relative(Translator& t, const Insn& insn) {
  i64 to = 0;
  if (!target(t, insn, to)) return false;
  t.flags_to_memory();
  t.go_to(to, cuts(insn));
  t.end();
  return true;
}

/// Into kScratch0, the rest of it zero.
void load_address(Translator& t, unsigned size, const auto& from) {
  if (size == 2) return t.a.op(4, {.byte = 0xb7, .map = Opcode::Map0f}, kScratch0, from);  // MOVZX
  t.a.op(size, {.byte = 0x8b}, kScratch0, from);                                           // MOV
}

/// The branch's target, from a register or memory.
void load_target(Translator& t, const Insn& insn) {
  const unsigned size = insn.operand_size;
  if (is_memory(insn.op[0])) {
    const Mem m = t.memory(insn, {.size = size});
    return load_address(t, size, m);
  }
  t.flags_to_memory();
  load_address(t, size, t.value(insn.op[0].reg, kScratch0));
}

bool jump(Translator& t, const Insn& insn) {
  if (insn.op[0].kind == OperandKind::Relative) return jump_relative(t, insn);
  if (!is_usual(t, insn) || (insn.memory() && !t.reaches(insn))) return false;
  load_target(t, insn);
  t.look_up();
  t.set_page_of_scratch();
  t.a.jmp_through({.base = kScratch1, .disp = 8});
  t.end();
  return true;
}

bool jump_if(Translator& t, const Insn& insn) {
  i64 to = 0;
  if (!target(t, insn, to)) return false;
  const auto condition = static_cast<Condition>(insn.opcode & 0xf);
  t.flags_to_host();
  if (!t.is_last()) {
    t.exit_if(condition, to, cuts(insn));
    return true;
  }
  t.flags_to_memory();
  t.go_to_if(condition, to, cuts(insn));
  t.go_on();
  t.end();
  return true;
}

/// Pushes the address behind the instruction.
void push_return(Translator& t, unsigned size) {
  const auto down = -static_cast<i32>(size);
  const Mem m = t.stack(Rsp, down, {.size = size, .write = true});
  t.load_rip(kScratch0, t.next_offset());
  t.a.store(size, m, kScratch0);
  t.a.lea(t.stack_width(), kGuestRsp, {.base = kGuestRsp, .disp = down});
}

bool call_relative(Translator& t, const Insn& insn) {
  i64 to = 0;
  if (!target(t, insn, to)) return false;
  t.flags_to_memory();
  if (Translator::same_page(to)) {
    push_return(t, insn.operand_size);
    t.go_to(to);
    t.end();
    return true;
  }
  t.load_rip(kScratch0, to, cuts(insn));
  t.look_up();
  t.a.load(8, kScratch1, {.base = kScratch1, .disp = 8});
  t.a.store(8, t.state.temporary, kScratch1);
  push_return(t, insn.operand_size);
  t.load_rip(kScratch0, to, cuts(insn));
  t.set_page_of_scratch();
  t.a.jmp_through(t.state.temporary);
  t.end();
  return true;
}

bool call(Translator& t, const Insn& insn) {
  if (!is_usual(t, insn)) return false;
  if (insn.op[0].kind == OperandKind::Relative) return call_relative(t, insn);
  if (insn.memory() && !t.reaches(insn)) return false;
  load_target(t, insn);
  t.look_up();
  t.a.load(8, kScratch1, {.base = kScratch1, .disp = 8});
  t.a.store(8, t.state.temporary, kScratch1);
  t.a.store(8, t.state.temporary2, kScratch0);
  push_return(t, insn.operand_size);
  t.a.load(8, kScratch0, t.state.temporary2);
  t.set_page_of_scratch();
  t.a.jmp_through(t.state.temporary);
  t.end();
  return true;
}

bool ret(Translator& t, const Insn& insn) {
  if (!is_usual(t, insn)) return false;
  const unsigned size = insn.operand_size;
  const u64 released = insn.op[0].kind == OperandKind::Immediate ? insn.imm & 0xffff : 0;
  const Mem m = t.stack(Rsp, 0, {.size = size});
  load_address(t, size, m);
  t.look_up();
  t.a.lea(t.stack_width(), kGuestRsp,
          {.base = kGuestRsp, .disp = static_cast<i32>(size + released)});
  t.set_page_of_scratch();
  t.a.jmp_through({.base = kScratch1, .disp = 8});
  t.end();
  return true;
}

bool loop(Translator& t, const Insn& insn) {
  i64 to = 0;
  if (!target(t, insn, to) || !Translator::same_page(to) || !Translator::same_page(t.next_offset()))
    return false;
  const unsigned size = insn.address_size;
  t.flags_to_memory();
  t.a.lea(size, host::kRcx, {.base = host::kRcx, .disp = -1});
  t.a.op(size, {.byte = 0x85}, host::kRcx, host::kRcx);  // TEST
  t.flags_lost();
  t.go_to_if(kNotEqual, to);
  t.go_to(t.next_offset());
  t.end();
  return true;
}

bool jcxz(Translator& t, const Insn& insn) {
  i64 to = 0;
  if (!target(t, insn, to)) return false;
  t.flags_to_memory();
  t.a.op(insn.address_size, {.byte = 0x85}, host::kRcx, host::kRcx);  // TEST
  t.flags_lost();
  t.go_to_if(kEqual, to, cuts(insn));
  t.go_to(t.next_offset());
  t.end();
  return true;
}

constexpr std::array kEmitters{
    Emitter{"jmp", &jump, true},  Emitter{"jcc", &jump_if, true, Clobbers::First},
    Emitter{"call", &call, true}, Emitter{"ret", &ret, true},
    Emitter{"loop", &loop, true}, Emitter{"jcxz", &jcxz, true},
};

}  // namespace

std::span<const Emitter> branch_emitters() { return kEmitters; }

}  // namespace rhea::x86::translating
