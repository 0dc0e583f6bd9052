// SPDX-License-Identifier: GPL-2.0-or-later
// Shifts and rotations.
#include "target/x86/translate/translator.h"

#include <array>

namespace rhea::x86::translating {
namespace {

/// Counts of zero leave all flags alone, rotations those but CF and OF.
enum class Changes : u8 { Nothing, All, Some };

Changes changes(const Insn& insn, unsigned operand, unsigned size, bool rotates) {
  if (insn.op[operand].kind != OperandKind::Immediate) return Changes::Some;
  if ((insn.imm & (size == 8 ? 63 : 31)) == 0) return Changes::Nothing;
  return rotates ? Changes::Some : Changes::All;
}

template <ShiftKind kWhat>
bool shift(Translator& t, const Insn& insn) {
  if (insn.memory() && !t.reaches(insn)) return false;
  constexpr bool through = kWhat == kRcl || kWhat == kRcr;
  const unsigned size = insn.op[0].size;
  const Changes change = changes(insn, 1, size, kWhat < kShl);
  const bool immediate = insn.op[1].kind == OperandKind::Immediate;
  const auto emit = [&](const auto& place) {
    if (immediate)
      t.a.shift_imm(size, kWhat, place, static_cast<unsigned>(insn.imm & 0xff));
    else
      t.a.op(size, {.byte = size == 1 ? u8{0xd2} : u8{0xd3}, .digit = true}, kWhat, place);
  };
  const auto prepare = [&] {
    if (through)
      t.flags_to_host();
    else if (change == Changes::Some)
      t.keep_flags();
  };
  if (is_memory(insn.op[0])) {
    const Mem m = t.memory(insn, {.size = size, .write = true});
    prepare();
    emit(m);
  } else {
    prepare();
    const unsigned reg = insn.op[0].reg;
    emit(t.result(reg, kScratch0, size, true));
    t.finish(reg, kScratch0);
  }
  if (change != Changes::Nothing) t.flags_set();
  return true;
}

// Of 16 bits they are left to the interpreter: what counts beyond 16 do differs.
template <u8 kByte>
bool shift_double(Translator& t, const Insn& insn) {
  const unsigned size = insn.op[0].size;
  if (size == 2 || (insn.memory() && !t.reaches(insn))) return false;
  const Changes change = changes(insn, 2, size, false);
  const bool immediate = insn.op[2].kind == OperandKind::Immediate;
  const Opcode code{.byte = static_cast<u8>(kByte | (immediate ? 0 : 1)), .map = Opcode::Map0f};
  if (is_memory(insn.op[0])) {
    const Mem m = t.memory(insn, {.size = size, .write = true});
    if (change == Changes::Some) t.keep_flags();
    t.a.op(size, code, t.value(insn.op[1].reg, kScratch0), m);
  } else {
    if (change == Changes::Some) t.keep_flags();
    const unsigned from = t.value(insn.op[1].reg, kScratch1), reg = insn.op[0].reg;
    t.a.op(size, code, from, t.result(reg, kScratch0, size, true));
    if (immediate) t.a.imm(insn.imm & 0xff, 1);
    t.finish(reg, kScratch0);
    if (change != Changes::Nothing) t.flags_set();
    return true;
  }
  if (immediate) t.a.imm(insn.imm & 0xff, 1);
  if (change != Changes::Nothing) t.flags_set();
  return true;
}

// SHLX, SHRX, SARX: no flags. The count is VEX.vvvv.
template <unsigned kPrefix>
bool shift_without_flags(Translator& t, const Insn& insn) {
  if (!t.host_has.bmi2 || (insn.memory() && !t.reaches(insn))) return false;
  const unsigned size = insn.op[0].size, reg = insn.op[0].reg;
  const Assembler::Vex code{.byte = 0xf7, .pp = kPrefix, .w = size == 8};
  const Mem m = is_memory(insn.op[1]) ? t.memory(insn, {.size = size}) : Mem{};
  const unsigned count = t.value(insn.op[2].reg, kScratch0);
  const unsigned to = t.result(reg, kScratch0, size, false);
  if (is_memory(insn.op[1]))
    t.a.vex(code, to, count, m);
  else
    t.a.vex(code, to, count, t.value(insn.op[1].reg, kScratch1));
  t.finish(reg, kScratch0);
  return true;
}

bool rorx(Translator& t, const Insn& insn) {
  if (!t.host_has.bmi2 || (insn.memory() && !t.reaches(insn))) return false;
  const unsigned size = insn.op[0].size, reg = insn.op[0].reg;
  const Assembler::Vex code{.byte = 0xf0, .map = 3, .pp = 3, .w = size == 8};
  const Mem m = is_memory(insn.op[1]) ? t.memory(insn, {.size = size}) : Mem{};
  const unsigned to = t.result(reg, kScratch0, size, false);
  if (is_memory(insn.op[1]))
    t.a.vex(code, to, 0, m);
  else
    t.a.vex(code, to, 0, t.value(insn.op[1].reg, kScratch1));
  t.a.imm(insn.imm & 0xff, 1);
  t.finish(reg, kScratch0);
  return true;
}

constexpr std::array kEmitters{
    Emitter{"rol", &shift<kRol>, false, Clobbers::Result},
    Emitter{"ror", &shift<kRor>, false, Clobbers::Result},
    Emitter{"rcl", &shift<kRcl>, false, Clobbers::Result},
    Emitter{"rcr", &shift<kRcr>, false, Clobbers::Result},
    Emitter{"shl", &shift<kShl>, false, Clobbers::Result},
    Emitter{"sal", &shift<kShl>, false, Clobbers::Result},
    Emitter{"shr", &shift<kShr>, false, Clobbers::Result},
    Emitter{"sar", &shift<kSar>, false, Clobbers::Result},
    Emitter{"shld", &shift_double<0xa4>, false, Clobbers::Result},
    Emitter{"shrd", &shift_double<0xac>, false, Clobbers::Result},
    Emitter{"shlx", &shift_without_flags<1>, false, Clobbers::Result},
    Emitter{"sarx", &shift_without_flags<2>, false, Clobbers::Result},
    Emitter{"shrx", &shift_without_flags<3>, false, Clobbers::Result},
    Emitter{"rorx", &rorx},
};

}  // namespace

std::span<const Emitter> shift_emitters() { return kEmitters; }

}  // namespace rhea::x86::translating
