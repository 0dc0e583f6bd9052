// SPDX-License-Identifier: GPL-2.0-or-later
// Near jumps, calls and returns.
#include "target/x86/translate/translator.h"

#include <array>

namespace rhea::x86::translating {
namespace {

/// Where a relative branch leads, if that can be emitted: not where it cuts RIP to 16 bits.
bool target(const Translator& t, const Insn& insn, i64& offset) {
  offset = t.next_offset() + static_cast<i64>(insn.imm);
  if (insn.operand_size == 2 && t.mode.code_bits != 16) return false;
  if (Translator::same_page(offset)) return true;
  return t.reaches_pages() && insn.operand_size == t.address_width();
}

bool is_full(const Translator& t, const Insn& insn) {
  return t.reaches_pages() && insn.operand_size == t.address_width();
}

bool jump_relative(Translator& t, const Insn& insn) {
  i64 to = 0;
  if (!target(t, insn, to)) return false;
  t.flags_to_memory();
  t.go_to(to);
  t.end();
  return true;
}

/// The branch's target, from a register or memory.
void load_target(Translator& t, const Insn& insn) {
  const unsigned size = insn.operand_size;
  if (is_memory(insn.op[0])) {
    const Mem m = t.memory(insn, {.size = size});
    return t.a.load(size, kScratch0, m);
  }
  t.flags_to_memory();
  const unsigned from = t.value(insn.op[0].reg, kScratch0);
  if (size == 8)
    t.a.mov(kScratch0, from);
  else
    t.a.mov32(kScratch0, from);
}

bool jump(Translator& t, const Insn& insn) {
  if (insn.op[0].kind == OperandKind::Relative) return jump_relative(t, insn);
  if (!is_full(t, insn) || (insn.memory() && !t.reaches(insn))) return false;
  load_target(t, insn);
  t.look_up();
  t.set_page_of_scratch();
  t.a.jmp_through({.base = kScratch1, .disp = 8});
  t.end();
  return true;
}

bool jump_if(Translator& t, const Insn& insn) {
  i64 to = 0;
  if (!target(t, insn, to) || (!t.reaches_pages() && !Translator::same_page(t.next_offset())))
    return false;
  t.flags_to_host();
  t.flags_to_memory();
  t.go_to_if(static_cast<Condition>(insn.opcode & 0xf), to);
  t.go_to(t.next_offset());
  t.end();
  return true;
}

/// Pushes the address behind the instruction.
void push_return(Translator& t) {
  const unsigned size = t.address_width();
  const auto down = -static_cast<i32>(size);
  const Mem m = t.stack(Rsp, down, {.size = size, .write = true});
  t.load_rip(kScratch0, t.next_offset());
  t.a.store(size, m, kScratch0);
  t.a.lea(size, kGuestRsp, {.base = kGuestRsp, .disp = down});
}

bool call_relative(Translator& t, const Insn& insn) {
  i64 to = 0;
  if (!target(t, insn, to)) return false;
  t.flags_to_memory();
  if (Translator::same_page(to)) {
    push_return(t);
    t.go_to(to);
    t.end();
    return true;
  }
  t.load_rip(kScratch0, to);
  t.look_up();
  t.a.load(8, kScratch1, {.base = kScratch1, .disp = 8});
  t.a.store(8, t.state.temporary, kScratch1);
  push_return(t);
  t.load_rip(kScratch0, to);
  t.set_page_of_scratch();
  t.a.jmp_through(t.state.temporary);
  t.end();
  return true;
}

bool call(Translator& t, const Insn& insn) {
  if (!is_full(t, insn) || !t.reaches_stack()) return false;
  if (insn.op[0].kind == OperandKind::Relative) return call_relative(t, insn);
  if (insn.memory() && !t.reaches(insn)) return false;
  load_target(t, insn);
  t.look_up();
  t.a.load(8, kScratch1, {.base = kScratch1, .disp = 8});
  t.a.store(8, t.state.temporary, kScratch1);
  t.a.store(8, t.state.temporary2, kScratch0);
  push_return(t);
  t.a.load(8, kScratch0, t.state.temporary2);
  t.set_page_of_scratch();
  t.a.jmp_through(t.state.temporary);
  t.end();
  return true;
}

bool ret(Translator& t, const Insn& insn) {
  if (!is_full(t, insn) || !t.reaches_stack()) return false;
  const unsigned size = t.address_width();
  const u64 released = insn.op[0].kind == OperandKind::Immediate ? insn.imm & 0xffff : 0;
  const Mem m = t.stack(Rsp, 0, {.size = size});
  t.a.load(size, kScratch0, m);
  t.look_up();
  t.a.lea(size, kGuestRsp, {.base = kGuestRsp, .disp = static_cast<i32>(size + released)});
  t.set_page_of_scratch();
  t.a.jmp_through({.base = kScratch1, .disp = 8});
  t.end();
  return true;
}

// LOOP counts in ECX or RCX.
bool loop(Translator& t, const Insn& insn) {
  i64 to = 0;
  if (insn.address_size == 2 || !target(t, insn, to) || !Translator::same_page(to) ||
      !Translator::same_page(t.next_offset()))
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
  if (insn.address_size == 2 || !target(t, insn, to) || !Translator::same_page(t.next_offset()))
    return false;
  t.flags_to_memory();
  t.a.op(insn.address_size, {.byte = 0x85}, host::kRcx, host::kRcx);  // TEST
  t.flags_lost();
  t.go_to_if(kEqual, to);
  t.go_to(t.next_offset());
  t.end();
  return true;
}

constexpr std::array kEmitters{
    Emitter{"jmp", &jump, true}, Emitter{"jcc", &jump_if, true}, Emitter{"call", &call, true},
    Emitter{"ret", &ret, true},  Emitter{"loop", &loop, true},   Emitter{"jcxz", &jcxz, true},
};

}  // namespace

std::span<const Emitter> branch_emitters() { return kEmitters; }

}  // namespace rhea::x86::translating
