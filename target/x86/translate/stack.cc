// SPDX-License-Identifier: GPL-2.0-or-later
// PUSH, POP, LEAVE.
#include "target/x86/translate/translator.h"

#include <array>

namespace rhea::x86::translating {
namespace {

bool is_usual(const Translator& t, const Insn& insn) {
  return t.reaches_stack() && insn.operand_size == t.address_width() &&
         (!insn.memory() || t.reaches(insn));
}

void move_stack(Translator& t, i32 by) {
  t.a.lea(t.address_width(), kGuestRsp, {.base = kGuestRsp, .disp = by});
}

bool push(Translator& t, const Insn& insn) {
  if (!is_usual(t, insn)) return false;
  const unsigned size = insn.operand_size;
  const auto down = -static_cast<i32>(size);
  if (is_memory(insn.op[0])) {
    const Mem from = t.memory(insn, {.size = size});
    t.a.load(size, kScratch0, from);
    t.a.store(8, t.state.temporary, kScratch0);
  }
  const Mem m = t.stack(Rsp, down, {.size = size, .write = true});
  if (is_memory(insn.op[0])) {
    t.a.load(8, kScratch0, t.state.temporary);
    t.a.store(size, m, kScratch0);
  } else if (insn.op[0].kind == OperandKind::Immediate) {
    t.a.op(size, {.byte = 0xc7, .digit = true}, 0, m);
    t.a.imm(insn.imm, 4);
  } else {
    t.a.store(size, m, t.value(insn.op[0].reg, kScratch0));
  }
  move_stack(t, down);
  return true;
}

// POP rSP: the value popped wins over the increment.
bool pop(Translator& t, const Insn& insn) {
  if (!is_usual(t, insn) || is_memory(insn.op[0])) return false;
  const unsigned size = insn.operand_size, reg = insn.op[0].reg;
  const Mem m = t.stack(Rsp, 0, {.size = size});
  t.a.load(size, t.result(reg, kScratch0, size, false), m);
  t.finish(reg, kScratch0);
  if (reg != Rsp) move_stack(t, static_cast<i32>(size));
  return true;
}

bool leave(Translator& t, const Insn& insn) {
  if (!is_usual(t, insn)) return false;
  const unsigned size = insn.operand_size;
  const Mem m = t.stack(Rbp, 0, {.size = size});
  t.a.lea(size, kGuestRsp, {.base = host::kRbp, .disp = static_cast<i32>(size)});
  t.a.load(size, host::kRbp, m);
  return true;
}

constexpr std::array kEmitters{
    Emitter{"push", &push, true, Clobbers::Stack},
    Emitter{"pop", &pop, true, Clobbers::Stack},
    Emitter{"leave", &leave, true, Clobbers::Stack},
};

}  // namespace

std::span<const Emitter> stack_emitters() { return kEmitters; }

}  // namespace rhea::x86::translating
