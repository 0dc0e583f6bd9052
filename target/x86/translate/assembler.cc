// SPDX-License-Identifier: GPL-2.0-or-later
// Encoding of host instructions (SDM vol. 2, chapter 2).
#include "target/x86/translate/assembler.h"

#include "rhea/util/error.h"
#include "target/x86/insn.h"

namespace rhea::x86::translating {
namespace {

/// A number as its three or four bits; those of AH, CH, DH and BH are 4 to 7.
constexpr unsigned encoding(unsigned reg) { return reg >= kHighByte ? reg - kHighByte + 4 : reg; }

}  // namespace

void Assembler::prefixes(unsigned size, const Opcode& code, unsigned reg, unsigned index,
                         unsigned rm, bool rm_is_byte) {
  if (code.lock) put(0xf0, 1);
  if (size == 2) put(0x66, 1);
  if (code.prefix != 0) put(code.prefix, 1);
  unsigned rex =
      (size == 8 ? 8U : 0U) | (encoding(reg) >> 3) << 2 | (index >> 3) << 1 | encoding(rm) >> 3;
  // SPL, BPL, SIL and DIL are there only with a prefix, AH, CH, DH and BH only without.
  const auto low = [](unsigned r) { return r >= 4 && r < 8; };
  const bool byte_reg = size == 1 && !code.digit && low(reg);
  const bool byte_rm = rm_is_byte && (size == 1 || code.byte_rm) && low(rm);
  if (rex != 0 || byte_reg || byte_rm) {
    RHEA_ASSERT(reg < kHighByte && rm < kHighByte);
    rex |= 0x40;
  }
  if (rex != 0) put(rex, 1);
  if (code.map != Opcode::OneByte) put(0x0f, 1);
  if (code.map == Opcode::Map0f38) put(0x38, 1);
  if (code.map == Opcode::Map0f3a) put(0x3a, 1);
  put(code.byte, 1);
}

void Assembler::modrm(unsigned reg, const Mem& m) {
  const unsigned field = (encoding(reg) & 7) << 3;
  if (m.base == Mem::kNone) {
    put(field | 4, 1);
    put(static_cast<unsigned>(m.scale) << 6 | (m.index == Mem::kNone ? 4U : m.index & 7U) << 3 | 5,
        1);
    put(static_cast<u32>(m.disp), 4);
    return;
  }
  const bool small = m.disp >= -128 && m.disp < 128;
  const unsigned mod = m.disp == 0 && (m.base & 7) != 5 ? 0 : small ? 1 : 2;
  const bool sib = m.index != Mem::kNone || (m.base & 7) == 4;
  put(mod << 6 | field | (sib ? 4U : m.base & 7U), 1);
  if (sib)
    put(static_cast<unsigned>(m.scale) << 6 | (m.index == Mem::kNone ? 4U : m.index & 7U) << 3 |
            (m.base & 7U),
        1);
  if (mod != 0) put(static_cast<u32>(m.disp), mod == 1 ? 1 : 4);
}

void Assembler::op(unsigned size, Opcode code, unsigned reg, unsigned rm) {
  note(reg);
  note(rm);
  prefixes(size, code, reg, 0, rm, true);
  put(0xc0 | (encoding(reg) & 7) << 3 | (encoding(rm) & 7), 1);
}

void Assembler::op(unsigned size, Opcode code, unsigned reg, const Mem& m) {
  note(reg);
  prefixes(size, code, reg, m.index == Mem::kNone ? 0 : m.index, m.base == Mem::kNone ? 0 : m.base,
           false);
  modrm(reg, m);
}

/// The prefix, of two bytes where they can say it, and the opcode.
void Assembler::vex_prefix(const Vex& code, unsigned reg, unsigned vvvv, bool high_index,
                           bool high_base) {
  const unsigned last = (~vvvv & 15) << 3 | (code.l ? 4U : 0U) | code.pp;
  const unsigned inverted_reg = reg < 8 ? 0x80 : 0;
  if (code.map == 1 && !code.w && !high_index && !high_base) {
    put(0xc5, 1);
    put(inverted_reg | last, 1);
  } else {
    put(0xc4, 1);
    put(inverted_reg | (high_index ? 0U : 0x40U) | (high_base ? 0U : 0x20U) | code.map, 1);
    put((code.w ? 0x80U : 0U) | last, 1);
  }
  put(code.byte, 1);
}

void Assembler::vex(Vex code, unsigned reg, unsigned vvvv, unsigned rm) {
  note(reg);
  note(vvvv);  // that which is written by a few
  note(rm);
  vex_prefix(code, reg, vvvv, false, rm >= 8);
  put(0xc0 | (reg & 7) << 3 | (rm & 7), 1);
}

void Assembler::vex(Vex code, unsigned reg, unsigned vvvv, const Mem& m) {
  note(reg);
  note(vvvv);
  vex_prefix(code, reg, vvvv, m.index != Mem::kNone && m.index >= 8,
             m.base != Mem::kNone && m.base >= 8);
  modrm(reg, m);
}

void Assembler::mov_imm(unsigned to, u64 value) {
  note(to);
  if (value == static_cast<u32>(value)) {
    if (to >= 8) put(0x41, 1);
    put(0xb8 | (to & 7), 1);
    put(value, 4);
  } else if (value == static_cast<u64>(static_cast<i64>(static_cast<i32>(value)))) {
    op(8, {0xc7}, 0, to);
    put(value, 4);
  } else {
    put(to >= 8 ? 0x49 : 0x48, 1);
    put(0xb8 | (to & 7), 1);
    put(value, 8);
  }
}

u8* Assembler::jmp() {
  put(0xe9, 1);
  put(0, 4);
  return at_ - 4;
}

u8* Assembler::jcc(Condition condition) {
  put(0x0f, 1);
  put(0x80U | condition, 1);
  put(0, 4);
  return at_ - 4;
}

u8* Assembler::call() {
  put(0xe8, 1);
  put(0, 4);
  return at_ - 4;
}

void Assembler::lea_code(unsigned to, const u8* target) {
  note(to);
  put(to >= 8 ? 0x4c : 0x48, 1);
  put(0x8d, 1);
  put((to & 7) << 3 | 5, 1);
  put(0, 4);
  if (!overrun_) bind(at_ - 4, target);
}

}  // namespace rhea::x86::translating
