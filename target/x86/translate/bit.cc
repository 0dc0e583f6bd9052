// SPDX-License-Identifier: GPL-2.0-or-later
// Single bits, bit scans and counts, BMI, BSWAP, and instructions on the carry flag.
#include "target/x86/translate/translator.h"

#include <array>

namespace rhea::x86::translating {
namespace {

/// With a register for the index of a bit in memory, that bit may lie anywhere: where it is not in
/// the operand itself the instruction is called.
void want_index_in_operand(Translator& t, const Insn& insn) {
  t.flags_to_memory();
  const unsigned size = insn.op[0].size, index = t.value(insn.op[1].reg, kScratch0);
  t.a.alu_imm(size, kCmp, index, size * 8 - 1);
  t.flags_lost();
  t.call_if(kAbove);
}

/// BT, BTS, BTR, BTC: `kDigit` 4 to 7.
template <unsigned kDigit>
bool bit_test(Translator& t, const Insn& insn) {
  const bool immediate = insn.op[1].kind == OperandKind::Immediate;
  if (is_memory(insn.op[0]) && !t.reaches(insn)) return false;
  const unsigned size = insn.op[0].size;
  const bool lock = insn.has(kLock);
  constexpr bool writes = kDigit != 4;
  const Opcode code{.byte = immediate ? u8{0xba} : static_cast<u8>(0x83 | kDigit << 3),
                    .map = Opcode::Map0f,
                    .lock = lock,
                    .digit = immediate};
  if (is_memory(insn.op[0])) {
    if (!immediate) want_index_in_operand(t, insn);
    const Mem m = t.memory(insn, {.size = size, .write = writes, .aligned = lock});
    t.keep_flags();
    t.a.op(size, code, immediate ? kDigit : t.value(insn.op[1].reg, kScratch0), m);
    if (immediate) t.a.imm(insn.imm, 1);
  } else {
    t.keep_flags();
    const unsigned reg = insn.op[0].reg;
    const unsigned index = immediate ? kDigit : t.value(insn.op[1].reg, kScratch1);
    t.a.op(size, code, index, t.result(reg, kScratch0, size, true));
    if (immediate) t.a.imm(insn.imm, 1);
    if (writes) t.finish(reg, kScratch0);
  }
  t.flags_set();
  return true;
}

bool from_source(Translator& t, const Insn& insn, Opcode code, bool read) {
  const unsigned size = insn.op[0].size, reg = insn.op[0].reg;
  if (is_memory(insn.op[1])) {
    const Mem m = t.memory(insn, {.size = size});
    t.keep_flags();
    t.a.op(size, code, t.result(reg, kScratch0, size, read), m);
  } else {
    t.keep_flags();
    const unsigned from = t.value(insn.op[1].reg, kScratch1);
    t.a.op(size, code, t.result(reg, kScratch0, size, read), from);
  }
  t.finish(reg, kScratch0);
  t.flags_set();
  return true;
}

/// BSF and BSR leave the destination as it was if there is no bit.
template <u8 kByte>
bool scan(Translator& t, const Insn& insn) {
  if (insn.memory() && !t.reaches(insn)) return false;
  return from_source(t, insn, {.byte = kByte, .map = Opcode::Map0f}, true);
}

template <u8 kByte, bool HostCpu::* kHas>
bool count(Translator& t, const Insn& insn) {
  if (!(t.host_has.*kHas) || (insn.memory() && !t.reaches(insn))) return false;
  return from_source(t, insn, {.byte = kByte, .map = Opcode::Map0f, .prefix = 0xf3}, false);
}

/// BLSR, BLSMSK, BLSI: the destination is VEX.vvvv.
template <unsigned kDigit>
bool lowest(Translator& t, const Insn& insn) {
  if (!t.host_has.bmi1 || (insn.memory() && !t.reaches(insn))) return false;
  const unsigned size = insn.op[0].size, reg = insn.op[0].reg;
  const Assembler::Vex code{.byte = 0xf3, .w = size == 8};
  const Mem m = is_memory(insn.op[1]) ? t.memory(insn, {.size = size}) : Mem{};
  const unsigned to = t.result(reg, kScratch0, size, false);
  if (is_memory(insn.op[1]))
    t.a.vex(code, kDigit, to, m);
  else
    t.a.vex(code, kDigit, to, t.value(insn.op[1].reg, kScratch1));
  t.finish(reg, kScratch0);
  t.flags_set();
  return true;
}

/// Operand `kRm` may be memory, the other is VEX.vvvv.
template <u8 kByte, u8 kPrefix, unsigned kRm, bool HostCpu::* kHas, bool kFlags>
bool three_operands(Translator& t, const Insn& insn) {
  if (!(t.host_has.*kHas) || (insn.memory() && !t.reaches(insn))) return false;
  const unsigned size = insn.op[0].size, reg = insn.op[0].reg;
  const Assembler::Vex code{.byte = kByte, .pp = kPrefix, .w = size == 8};
  const Mem m = is_memory(insn.op[kRm]) ? t.memory(insn, {.size = size}) : Mem{};
  const unsigned other = t.value(insn.op[3 - kRm].reg, kScratch0);
  const unsigned to = t.result(reg, kScratch0, size, false);
  if (is_memory(insn.op[kRm]))
    t.a.vex(code, to, other, m);
  else
    t.a.vex(code, to, other, t.value(insn.op[kRm].reg, kScratch1));
  t.finish(reg, kScratch0);
  if (kFlags) t.flags_set();
  return true;
}

// Of 16 bits it is undefined.
bool byte_swap(Translator& t, const Insn& insn) {
  const unsigned size = insn.op[0].size, reg = insn.op[0].reg;
  if (size == 2) return false;
  const unsigned to = t.result(reg, kScratch0, size, true);
  t.a.byte(0x40 | (size == 8 ? 8U : 0U) | to >> 3);
  t.a.bytes({0x0f, 0xc8 | (to & 7)});
  t.finish(reg, kScratch0);
  return true;
}

template <u8 kByte>
bool carry(Translator& t, const Insn&) {
  if (kByte == 0xf5)
    t.flags_to_host();
  else
    t.keep_flags();
  t.a.byte(kByte);
  t.flags_set();
  return true;
}

constexpr std::array kEmitters{
    Emitter{"bt", &bit_test<4>, false, Clobbers::Result},
    Emitter{"bts", &bit_test<5>, false, Clobbers::Result},
    Emitter{"btr", &bit_test<6>, false, Clobbers::Result},
    Emitter{"btc", &bit_test<7>, false, Clobbers::Result},
    Emitter{"bsf", &scan<0xbc>, false, Clobbers::Result},
    Emitter{"bsr", &scan<0xbd>, false, Clobbers::Result},
    Emitter{"tzcnt", &count<0xbc, &HostCpu::bmi1>, false, Clobbers::Result},
    Emitter{"lzcnt", &count<0xbd, &HostCpu::lzcnt>, false, Clobbers::Result},
    Emitter{"popcnt", &count<0xb8, &HostCpu::popcnt>, false, Clobbers::Result},
    Emitter{"blsr", &lowest<1>},
    Emitter{"blsmsk", &lowest<2>},
    Emitter{"blsi", &lowest<3>},
    Emitter{"andn", &three_operands<0xf2, 0, 2, &HostCpu::bmi1, true>},
    Emitter{"bextr", &three_operands<0xf7, 0, 1, &HostCpu::bmi1, true>},
    Emitter{"bzhi", &three_operands<0xf5, 0, 1, &HostCpu::bmi2, true>},
    Emitter{"pdep", &three_operands<0xf5, 3, 2, &HostCpu::bmi2, false>},
    Emitter{"pext", &three_operands<0xf5, 2, 2, &HostCpu::bmi2, false>},
    Emitter{"bswap", &byte_swap},
    Emitter{"cmc", &carry<0xf5>},
    Emitter{"clc", &carry<0xf8>},
    Emitter{"stc", &carry<0xf9>},
};

}  // namespace

std::span<const Emitter> bit_emitters() { return kEmitters; }

}  // namespace rhea::x86::translating
