// SPDX-License-Identifier: GPL-2.0-or-later
// Moves, extensions, LEA, conditional moves, and what does nothing.
#include "target/x86/translate/translator.h"

#include <array>

namespace rhea::x86::translating {
namespace {

void load_immediate(Translator& t, const Insn& insn, unsigned size) {
  const unsigned reg = insn.op[0].reg;
  if (size < 4) {
    const unsigned to = t.result(reg, kScratch0, size, true);
    t.a.op(size, {.byte = size == 1 ? u8{0xc6} : u8{0xc7}, .digit = true}, 0, to);
    t.a.imm(insn.imm, size);
  } else {
    const unsigned to = t.result(reg, kScratch0, size, false);
    t.a.mov_imm(to, size == 8 ? insn.imm : static_cast<u32>(insn.imm));
  }
  t.finish(reg, kScratch0);
}

void store(Translator& t, const Insn& insn, unsigned size) {
  const Mem m = t.memory(insn, {.size = size, .write = true});
  if (insn.op[1].kind == OperandKind::Immediate) {
    t.a.op(size, {.byte = size == 1 ? u8{0xc6} : u8{0xc7}, .digit = true}, 0, m);
    t.a.imm(insn.imm, size == 8 ? 4 : size);
  } else {
    t.a.store(size, m, t.value(insn.op[1].reg, kScratch0));
  }
}

bool mov(Translator& t, const Insn& insn) {
  if (insn.memory() && !t.reaches(insn)) return false;
  const unsigned size = insn.op[0].size;
  if (is_memory(insn.op[0])) {
    store(t, insn, size);
    return true;
  }
  if (insn.op[1].kind == OperandKind::Immediate) {
    load_immediate(t, insn, size);
    return true;
  }
  Mem m;
  if (is_memory(insn.op[1])) m = t.memory(insn, {.size = size});
  const unsigned reg = insn.op[0].reg;
  const unsigned to = t.result(reg, kScratch0, size, size < 4);
  if (is_memory(insn.op[1]))
    t.a.load(size, to, m);
  else
    t.a.op(size, {.byte = size == 1 ? u8{0x8a} : u8{0x8b}}, to, t.value(insn.op[1].reg, kScratch1));
  t.finish(reg, kScratch0);
  return true;
}

/// The offset, without a base, is an immediate. In 64-bit mode it has 64 bits, and is called.
bool move_offset(Translator& t, const Insn& insn) {
  if (t.mode.long_mode()) return false;
  const bool write = is_memory(insn.op[0]);
  const unsigned size = insn.op[write ? 0 : 1].size;
  const Mem m = t.memory(
      insn.seg, {.reg = kNoReg, .width = insn.address_size, .disp = static_cast<i32>(insn.imm)},
      {.size = size, .write = write});
  if (write)
    t.a.store(size, m, host::kRax);
  else
    t.a.load(size, host::kRax, m);
  return true;
}

template <u8 kByte>
bool extend(Translator& t, const Insn& insn) {
  if (insn.memory() && !t.reaches(insn)) return false;
  const unsigned size = insn.op[0].size, from = insn.op[1].size, reg = insn.op[0].reg;
  if (from == 4 && size != 8) return false;  // MOVSXD that extends nothing
  const Opcode code = from == 4 ? Opcode{.byte = 0x63}
                                : Opcode{.byte = static_cast<u8>(kByte | (from == 2 ? 1 : 0)),
                                         .map = Opcode::Map0f,
                                         .byte_rm = from == 1};
  if (is_memory(insn.op[1])) {
    const Mem m = t.memory(insn, {.size = from});
    t.a.op(size, code, t.result(reg, kScratch0, size, size < 4), m);
  } else {
    const unsigned value = t.value(insn.op[1].reg, kScratch1);
    t.a.op(size, code, t.result(reg, kScratch0, size, size < 4), value);
  }
  t.finish(reg, kScratch0);
  return true;
}

bool lea(Translator& t, const Insn& insn) {
  const unsigned size = insn.op[0].size, reg = insn.op[0].reg;
  // RIP-relative ones may lie farther off than a displacement says.
  if (insn.base == kRip && !t.reaches(insn)) return false;
  const unsigned to = guest(reg) == kHome || size == 2 ? kScratch0 : guest(reg);
  t.effective_address(insn, to);
  if (size == 2) {
    if (guest(reg) == kHome)
      t.a.store(2, t.state.gpr(reg), to);
    else
      t.a.op(2, {.byte = 0x8b}, guest(reg), to);
    return true;
  }
  if (size == 4 && insn.address_size == 8) t.a.mov32(to, to);
  t.finish(reg, kScratch0);
  return true;
}

bool conditional_move(Translator& t, const Insn& insn) {
  if (insn.memory() && !t.reaches(insn)) return false;
  const unsigned size = insn.op[0].size, reg = insn.op[0].reg;
  const Opcode code{.byte = static_cast<u8>(0x40 | (insn.opcode & 0xf)), .map = Opcode::Map0f};
  Mem m;
  if (is_memory(insn.op[1])) m = t.memory(insn, {.size = size});
  t.flags_to_host();
  const unsigned to = t.result(reg, kScratch0, size, true);
  if (is_memory(insn.op[1]))
    t.a.op(size, code, to, m);
  else
    t.a.op(size, code, to, t.value(insn.op[1].reg, kScratch1));
  t.finish(reg, kScratch0);
  return true;
}

bool set_if(Translator& t, const Insn& insn) {
  if (insn.memory() && !t.reaches(insn)) return false;
  const Opcode code{
      .byte = static_cast<u8>(0x90 | (insn.opcode & 0xf)), .map = Opcode::Map0f, .digit = true};
  if (is_memory(insn.op[0])) {
    const Mem m = t.memory(insn, {.size = 1, .write = true});
    t.flags_to_host();
    t.a.op(1, code, 0, m);
    return true;
  }
  t.flags_to_host();
  const unsigned reg = insn.op[0].reg;
  t.a.op(1, code, 0, t.result(reg, kScratch0, 1, true));
  t.finish(reg, kScratch0);
  return true;
}

template <u8 kByte>
bool convert(Translator& t, const Insn& insn) {
  if (insn.operand_size == 2) t.a.byte(0x66);
  if (insn.operand_size == 8) t.a.byte(0x48);
  t.a.byte(kByte);
  return true;
}

bool nothing(Translator&, const Insn&) { return true; }
bool fence(Translator& t, const Insn&) {
  t.a.bytes({0x0f, 0xae, 0xf0});  // MFENCE
  return true;
}

constexpr std::array kEmitters{
    Emitter{"mov", &mov, false, Clobbers::First},
    Emitter{"movoffs", &move_offset},
    Emitter{"movnti", &mov, false, Clobbers::First},
    Emitter{"movzx", &extend<0xb6>, false, Clobbers::First},
    Emitter{"movsx", &extend<0xbe>, false, Clobbers::First},
    Emitter{"movsxd", &extend<0xbe>, false, Clobbers::First},
    Emitter{"lea", &lea, false, Clobbers::First},
    Emitter{"cmovcc", &conditional_move, false, Clobbers::First},
    Emitter{"setcc", &set_if, false, Clobbers::First},
    Emitter{"cbw", &convert<0x98>},
    Emitter{"cwd", &convert<0x99>},
    Emitter{"nop", &nothing, false, Clobbers::First},
    Emitter{"prefetch", &nothing, false, Clobbers::First},
    Emitter{"lfence", &nothing, false, Clobbers::First},
    Emitter{"sfence", &nothing, false, Clobbers::First},
    Emitter{"mfence", &fence, false, Clobbers::First},
};

}  // namespace

std::span<const Emitter> move_emitters() { return kEmitters; }

}  // namespace rhea::x86::translating
