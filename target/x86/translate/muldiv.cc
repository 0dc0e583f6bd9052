// SPDX-License-Identifier: GPL-2.0-or-later
// Multiplication and division.
#include "target/x86/translate/translator.h"

#include <array>

namespace rhea::x86::translating {
namespace {

// AMD's processors leave alone what is undefined of the flags behind a multiplication.

/// MUL and IMUL of the accumulator: all operands but one are implied.
bool multiply_accumulator(Translator& t, const Insn& insn, unsigned digit) {
  const unsigned size = insn.op[0].size;
  const Opcode code{.byte = size == 1 ? u8{0xf6} : u8{0xf7}, .digit = true};
  if (is_memory(insn.op[0])) {
    const Mem m = t.memory(insn, {.size = size});
    t.keep_flags();
    t.a.op(size, code, digit, m);
  } else {
    t.keep_flags();
    t.a.op(size, code, digit, t.value(insn.op[0].reg, kScratch0));
  }
  t.flags_set();
  return true;
}

bool mul(Translator& t, const Insn& insn) {
  if (insn.memory() && !t.reaches(insn)) return false;
  return multiply_accumulator(t, insn, 4);
}

bool imul(Translator& t, const Insn& insn) {
  if (insn.memory() && !t.reaches(insn)) return false;
  if (insn.op[1].kind == OperandKind::None) return multiply_accumulator(t, insn, 5);
  const unsigned size = insn.op[0].size, reg = insn.op[0].reg;
  const bool immediate = insn.op[2].kind == OperandKind::Immediate;
  const Opcode code = immediate ? Opcode{.byte = 0x69} : Opcode{.byte = 0xaf, .map = Opcode::Map0f};
  if (is_memory(insn.op[1])) {
    const Mem m = t.memory(insn, {.size = size});
    t.keep_flags();
    t.a.op(size, code, t.result(reg, kScratch0, size, !immediate), m);
  } else {
    t.keep_flags();
    const unsigned from = t.value(insn.op[1].reg, kScratch1);
    t.a.op(size, code, t.result(reg, kScratch0, size, !immediate), from);
  }
  if (immediate) t.a.imm(insn.imm, size == 2 ? 2 : 4);
  t.finish(reg, kScratch0);
  t.flags_set();
  return true;
}

bool mulx(Translator& t, const Insn& insn) {
  if (!t.host_has.bmi2 || insn.memory() || guest(insn.op[0].reg) == kHome ||
      guest(insn.op[1].reg) == kHome)
    return false;
  const unsigned size = insn.op[0].size;
  t.a.vex({.byte = 0xf6, .pp = 3, .w = size == 8}, guest(insn.op[0].reg), guest(insn.op[1].reg),
          t.value(insn.op[2].reg, kScratch0));
  return true;
}

/// The divisor in kScratch1.
void load_divisor(Translator& t, const Insn& insn, unsigned size) {
  if (is_memory(insn.op[0])) return t.a.load(size, kScratch1, t.memory(insn, {.size = size}));
  t.flags_to_memory();
  t.a.mov(kScratch1, t.value(insn.op[0].reg, kScratch1));
}

// What raises #DE is left to the interpreter: here a quotient that is too large, which a divisor
// of zero makes, too. The flags, which are undefined, stay.
bool div(Translator& t, const Insn& insn) {
  const unsigned size = insn.op[0].size;
  if (size < 4 || (insn.memory() && !t.reaches(insn))) return false;
  load_divisor(t, insn, size);
  t.a.alu(size, kCmp, host::kRdx, kScratch1);
  t.call_if(kAboveOrEqual);
  t.a.op(size, {.byte = 0xf7, .digit = true}, 6, kScratch1);
  t.flags_lost();
  return true;
}

// Here a dividend that does not fit into one register, and divisors of 0 and -1.
bool idiv(Translator& t, const Insn& insn) {
  const unsigned size = insn.op[0].size;
  if (size < 4 || (insn.memory() && !t.reaches(insn))) return false;
  load_divisor(t, insn, size);
  t.a.op(size, {.byte = 0x8b}, kScratch0, host::kRax);
  t.a.shift_imm(size, kSar, kScratch0, size * 8 - 1);
  t.a.alu(size, kCmp, kScratch0, host::kRdx);
  t.call_if(kNotEqual);
  t.a.lea(size, kScratch0, {.base = kScratch1, .disp = 1});
  t.a.alu_imm(size, kCmp, kScratch0, 1);
  t.call_if(kBelowOrEqual);
  t.a.op(size, {.byte = 0xf7, .digit = true}, 7, kScratch1);
  t.flags_lost();
  return true;
}

constexpr std::array kEmitters{
    Emitter{"mul", &mul},       Emitter{"imul", &imul},       Emitter{"mulx", &mulx},
    Emitter{"div", &div, true}, Emitter{"idiv", &idiv, true},
};

}  // namespace

std::span<const Emitter> muldiv_emitters() { return kEmitters; }

}  // namespace rhea::x86::translating
