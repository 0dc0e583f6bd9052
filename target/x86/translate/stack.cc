// SPDX-License-Identifier: GPL-2.0-or-later
// PUSH, POP, PUSHA, POPA, LEAVE.
#include "target/x86/translate/translator.h"

#include <array>

namespace rhea::x86::translating {
namespace {

/// PUSH in 64-bit mode has 8 bytes, or with a prefix 2, which are called.
bool is_usual(const Translator& t, const Insn& insn) {
  return (!t.mode.long_mode() || insn.operand_size == 8) && (!insn.memory() || t.reaches(insn));
}

void move_stack(Translator& t, i32 by) {
  t.a.lea(t.stack_width(), kGuestRsp, {.base = kGuestRsp, .disp = by});
}

bool push(Translator& t, const Insn& insn) {
  if (!is_usual(t, insn)) return false;
  const unsigned size = insn.operand_size;
  if (is_memory(insn.op[0])) {
    const Mem from = t.memory(insn, {.size = size});
    t.a.load(size, kScratch0, from);
    t.a.store(8, t.state.temporary, kScratch0);
  }
  const auto down = -static_cast<i32>(size);
  const Mem m = t.stack(Rsp, down, {.size = size, .write = true});
  if (is_memory(insn.op[0])) {
    t.a.load(8, kScratch0, t.state.temporary);
    t.a.store(size, m, kScratch0);
  } else if (insn.op[0].kind == OperandKind::Immediate) {
    t.a.op(size, {.byte = 0xc7, .digit = true}, 0, m);
    t.a.imm(insn.imm, size == 2 ? 2 : 4);
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
  if (reg == Rsp && size < t.stack_width()) return false;  // the rest of it is incremented
  const Mem m = t.stack(Rsp, 0, {.size = size});
  t.a.load(size, t.result(reg, kScratch0, size, false), m);
  t.finish(reg, kScratch0);
  if (reg != Rsp) move_stack(t, static_cast<i32>(size));
  return true;
}

/// All eight at once: RSP as it was, or, when popped, left alone.
bool push_all(Translator& t, const Insn& insn) {
  const unsigned size = insn.operand_size;
  const auto down = -static_cast<i32>(8 * size);
  Mem m = t.stack(Rsp, down, {.size = 8 * size, .write = true});
  for (unsigned reg = 8; reg-- > 0; m.disp += static_cast<i32>(size))
    t.a.store(size, m, guest(reg));
  move_stack(t, down);
  return true;
}

bool pop_all(Translator& t, const Insn& insn) {
  const unsigned size = insn.operand_size;
  Mem m = t.stack(Rsp, 0, {.size = 8 * size});
  for (unsigned reg = 8; reg-- > 0; m.disp += static_cast<i32>(size))
    if (reg != Rsp) t.a.load(size, guest(reg), m);
  move_stack(t, static_cast<i32>(8 * size));
  return true;
}

bool leave(Translator& t, const Insn& insn) {
  if (!is_usual(t, insn)) return false;
  const unsigned size = insn.operand_size;
  const Mem m = t.stack(Rbp, 0, {.size = size});
  t.a.lea(t.stack_width(), kGuestRsp, {.base = host::kRbp, .disp = static_cast<i32>(size)});
  t.a.load(size, host::kRbp, m);
  return true;
}

constexpr std::array kEmitters{
    Emitter{"push", &push, true, Clobbers::Stack},
    Emitter{"pop", &pop, true, Clobbers::Stack},
    Emitter{"pusha", &push_all, true},
    Emitter{"popa", &pop_all, true},
    Emitter{"leave", &leave, true, Clobbers::Stack},
};

}  // namespace

std::span<const Emitter> stack_emitters() { return kEmitters; }

}  // namespace rhea::x86::translating
