// SPDX-License-Identifier: GPL-2.0-or-later
// ADD to CMP, TEST, INC, DEC, NEG, NOT.
#include "target/x86/translate/translator.h"

#include <array>

namespace rhea::x86::translating {
namespace {

template <Alu kWhat>
constexpr bool kReadsCarry = kWhat == kAdc || kWhat == kSbb;
template <Alu kWhat>
constexpr bool kWrites = kWhat != kCmp;

template <Alu kWhat>
void to_memory(Translator& t, const Insn& insn, unsigned size) {
  const bool lock = insn.has(kLock);
  const Mem m = t.memory(insn, {.size = size, .write = kWrites<kWhat>, .aligned = lock});
  if (kReadsCarry<kWhat>) t.flags_to_host();
  if (insn.op[1].kind == OperandKind::Immediate)
    t.a.alu_imm(size, kWhat, m, static_cast<i64>(insn.imm), lock);
  else
    t.a.alu(size, kWhat, m, t.value(insn.op[1].reg, kScratch0), lock);
}

template <Alu kWhat>
void to_register(Translator& t, const Insn& insn, unsigned size) {
  const unsigned reg = insn.op[0].reg;
  Mem m;
  if (is_memory(insn.op[1])) m = t.memory(insn, {.size = size});
  if (kReadsCarry<kWhat>) t.flags_to_host();
  const unsigned to = t.result(reg, kScratch0, size, true);
  if (is_memory(insn.op[1]))
    t.a.alu(size, kWhat, to, m);
  else if (insn.op[1].kind == OperandKind::Immediate)
    t.a.alu_imm(size, kWhat, to, static_cast<i64>(insn.imm));
  else
    t.a.alu(size, kWhat, to, t.value(insn.op[1].reg, kScratch1));
  if (kWrites<kWhat>) t.finish(reg, kScratch0);
}

constexpr bool is_resident(const Operand& op) {
  return op.kind == OperandKind::Gpr && op.reg < kHighByte && guest(op.reg) != kHome;
}

/// What the flags can be made from again, behind the instruction.
FlagSource source_of(FlagSource::Kind kind, const Operand& left, const Operand& right, u64 imm) {
  FlagSource source{.kind = kind, .size = left.size, .left = left.reg};
  if (!is_resident(left)) return {};
  if (right.kind == OperandKind::Immediate)
    source.imm = static_cast<i32>(imm);
  else if (is_resident(right))
    source.right = right.reg;
  else
    return {};
  return source;
}

template <Alu kWhat>
FlagSource source_of(const Insn& insn) {
  using enum FlagSource::Kind;
  const Operand &left = insn.op[0], &right = insn.op[1];
  if (kReadsCarry<kWhat>) return {};
  // All that these leave is the result's.
  if (kWhat == kAnd || kWhat == kOr || kWhat == kXor) return source_of(And, left, left, 0);
  const bool same = right.kind == OperandKind::Gpr && right.reg == left.reg;
  if (kWhat != kCmp && same) return {};
  return source_of(kWhat == kAdd   ? Sum
                   : kWhat == kSub ? Difference
                                   : Compare,
                   left, right, insn.imm);
}

template <Alu kWhat>
bool alu(Translator& t, const Insn& insn) {
  if (insn.memory() && !t.reaches(insn)) return false;
  const unsigned size = insn.op[0].size;
  if (is_memory(insn.op[0]))
    to_memory<kWhat>(t, insn, size);
  else
    to_register<kWhat>(t, insn, size);
  t.flags_set(source_of<kWhat>(insn));
  return true;
}

void test_immediate(Translator& t, const Insn& insn, unsigned size, const auto& place) {
  t.a.op(size, {.byte = size == 1 ? u8{0xf6} : u8{0xf7}, .digit = true}, 0, place);
  t.a.imm(insn.imm, size == 8 ? 4 : size);
}

bool test(Translator& t, const Insn& insn) {
  if (insn.memory() && !t.reaches(insn)) return false;
  const unsigned size = insn.op[0].size;
  const Opcode code{.byte = size == 1 ? u8{0x84} : u8{0x85}};
  const bool immediate = insn.op[1].kind == OperandKind::Immediate;
  if (is_memory(insn.op[0])) {
    const Mem m = t.memory(insn, {.size = size});
    if (immediate)
      test_immediate(t, insn, size, m);
    else
      t.a.op(size, code, t.value(insn.op[1].reg, kScratch0), m);
  } else {
    const unsigned left = t.value(insn.op[0].reg, kScratch0);
    if (immediate)
      test_immediate(t, insn, size, left);
    else
      t.a.op(size, code, t.value(insn.op[1].reg, kScratch1), left);
  }
  t.flags_set(source_of(FlagSource::Kind::And, insn.op[0], insn.op[1], insn.imm));
  return true;
}

enum class Kind : u8 { Inc, Dec, Not, Neg };

template <Kind kKind>
bool one_operand(Translator& t, const Insn& insn) {
  constexpr bool counts = kKind == Kind::Inc || kKind == Kind::Dec;
  constexpr unsigned digit = kKind == Kind::Inc   ? 0
                             : kKind == Kind::Dec ? 1
                             : kKind == Kind::Not ? 2
                                                  : 3;
  if (insn.memory() && !t.reaches(insn)) return false;
  const unsigned size = insn.op[0].size;
  const bool lock = insn.has(kLock);
  const u8 byte = static_cast<u8>((counts ? 0xfe : 0xf6) | (size == 1 ? 0 : 1));
  const Opcode code{.byte = byte, .lock = lock, .digit = true};
  if (is_memory(insn.op[0])) {
    const Mem m = t.memory(insn, {.size = size, .write = true, .aligned = lock});
    if (counts) t.keep_flags();
    t.a.op(size, code, digit, m);
  } else {
    if (counts) t.keep_flags();
    const unsigned reg = insn.op[0].reg;
    t.a.op(size, code, digit, t.result(reg, kScratch0, size, true));
    t.finish(reg, kScratch0);
  }
  if (kKind != Kind::Not) t.flags_set();
  return true;
}

constexpr std::array kEmitters{
    Emitter{"add", &alu<kAdd>, false, Clobbers::Result},
    Emitter{"or", &alu<kOr>, false, Clobbers::Result},
    Emitter{"adc", &alu<kAdc>, false, Clobbers::Result},
    Emitter{"sbb", &alu<kSbb>, false, Clobbers::Result},
    Emitter{"and", &alu<kAnd>, false, Clobbers::Result},
    Emitter{"sub", &alu<kSub>, false, Clobbers::Result},
    Emitter{"xor", &alu<kXor>, false, Clobbers::Result},
    Emitter{"cmp", &alu<kCmp>, false, Clobbers::Result},
    Emitter{"test", &test, false, Clobbers::Result},
    Emitter{"inc", &one_operand<Kind::Inc>, false, Clobbers::Result},
    Emitter{"dec", &one_operand<Kind::Dec>, false, Clobbers::Result},
    Emitter{"neg", &one_operand<Kind::Neg>, false, Clobbers::Result},
    Emitter{"not", &one_operand<Kind::Not>, false, Clobbers::Result},
};

}  // namespace

std::span<const Emitter> alu_emitters() { return kEmitters; }

}  // namespace rhea::x86::translating
