// SPDX-License-Identifier: GPL-2.0-or-later
// Operands of an instruction, by the letters of its row (SDM vol. 2, A.2).
#pragma once

#include "target/x86/cpu_state.h"
#include "target/x86/decode/forms.h"
#include "target/x86/decode/prefix.h"

namespace rhea::x86::decoding {

using isa::Method;
using isa::OperandSpec;
using isa::Type;

/// What sizes depend on: operand size (2, 4, 8), 64-bit mode, VEX.L.
inline constexpr unsigned kContexts = 3 * 2 * 2;

constexpr unsigned size_of(Type type, unsigned operand_size, bool long_mode, bool l) {
  const unsigned vector = l ? 32 : 16;
  switch (type) {
    case Type::None: return 0;
    case Type::B:
    case Type::Bs: return 1;
    case Type::W: return 2;
    case Type::D: return 4;
    case Type::Q: return 8;
    case Type::T: return 10;
    case Type::Dq: return 16;
    case Type::Qq: return 32;
    case Type::V: return operand_size;
    case Type::Z: return operand_size == 2 ? 2 : 4;
    case Type::Y: return operand_size == 8 ? 8 : 4;
    case Type::N: return long_mode ? 8 : 4;
    case Type::P: return operand_size + 2;
    case Type::S: return long_mode ? 10 : 6;
    case Type::A: return 2 * operand_size;
    case Type::X: return vector;
    case Type::X2: return vector / 2;
    case Type::X4: return vector / 4;
    case Type::X8: return vector / 8;
  }
  return 0;
}

constexpr unsigned context_of(unsigned operand_size, bool long_mode, bool l) {
  return (operand_size >> 2) * 4 + static_cast<unsigned>(long_mode) * 2 + static_cast<unsigned>(l);
}

inline constexpr unsigned kTypes = static_cast<unsigned>(Type::X8) + 1;

inline constexpr auto kSizes = [] {
  std::array<std::array<u8, kTypes>, kContexts> sizes{};
  for (const unsigned operand_size : {2U, 4U, 8U})
    for (const bool long_mode : {false, true})
      for (const bool l : {false, true})
        for (unsigned type = 0; type < kTypes; ++type)
          sizes[context_of(operand_size, long_mode, l)][type] =
              static_cast<u8>(size_of(static_cast<Type>(type), operand_size, long_mode, l));
  return sizes;
}();

/// Bytes of the first immediate: by tail and operand size (2, 4, 8).
inline constexpr std::array<std::array<u8, 3>, kTails> kTailSizes{{{0, 0, 0},
                                                                   {1, 1, 1},
                                                                   {1, 1, 1},
                                                                   {2, 2, 2},
                                                                   {2, 4, 4},
                                                                   {2, 4, 8},
                                                                   {0, 0, 0},
                                                                   {2, 4, 4},
                                                                   {1, 1, 1},
                                                                   {2, 2, 2}}};

/// Sign- or zero-extends the first `size` bytes of what lies ahead.
inline u64 extended(u64 ahead, unsigned size, bool sign) {
  if (size == 0) return 0;
  const unsigned cut = 64 - 8 * size;
  const u64 high = ahead << cut;
  return sign ? static_cast<u64>(static_cast<i64>(high) >> cut) : high >> cut;
}

[[gnu::always_inline]] inline void take_tail(Cursor& cursor, Tail tail, Insn& insn) {
  if (tail == Tail::None) return;
  unsigned size = kTailSizes[static_cast<unsigned>(tail)][insn.operand_size >> 2];
  if (tail == Tail::Offset) size = insn.address_size;
  const bool sign = tail == Tail::SignedByte || tail == Tail::SignedZ || tail == Tail::Full;
  insn.imm = extended(cursor.look<u64>(), size, sign);
  cursor.skip(size);
  if (tail < Tail::Far) return;
  insn.imm2 = tail == Tail::Far ? cursor.take<u16>() : cursor.take<u8>();
}

/// Rules that only some letters have.
class Special {
 public:
  Special(Prefixes prefixes, const Form& form, bool long_mode, Insn& insn)
      : prefixes_(prefixes), form_(form), long_mode_(long_mode), insn_(insn) {}

  /// False: #UD.
  bool apply() {
    for (unsigned n = 0; n < isa::kMaxOperands; ++n)
      if (!apply(form_.operand[n].method, n)) return false;
    return (form_.attributes & isa::Vsib) == 0 || gather_is_sound();
  }

 private:
  bool apply(Method method, unsigned n) {
    Operand& op = insn_.op[n];
    switch (method) {
      case Method::C: return control(op);
      case Method::D: return op.reg < 8;
      // CS cannot be loaded.
      case Method::S: return op.reg <= Gs && (op.reg != Cs || n != 0);
      case Method::X: return implied_memory(Rsi, prefixes_.segment);
      case Method::Y: return insn_.base == Rsi || implied_memory(Rdi, Es);
      // Outside 64-bit mode just three bits of the register's number count.
      case Method::L: op.reg = insn_.imm >> 4 & (long_mode_ ? 15U : 7U); return true;
      case Method::One: insn_.imm = 1; return true;
      default: return true;
    }
  }

  /// LOCK stands for REX.R on processors with AMD's CR8 outside 64-bit mode.
  bool control(Operand& op) const {
    if (prefixes_.has(kLock)) op.reg |= 8;
    return op.reg == 0 || op.reg == 2 || op.reg == 3 || op.reg == 4 || op.reg == 8;
  }

  bool implied_memory(u8 base, u8 segment) {
    insn_.base = base;
    insn_.seg = segment == kNoSegment ? u8{Ds} : segment;
    return true;
  }

  /// A gather's destination, index and mask must be three registers.
  bool gather_is_sound() const {
    const u8 to = insn_.op[0].reg;
    return to != insn_.index && to != insn_.vvvv && insn_.index != insn_.vvvv;
  }

  Prefixes prefixes_;
  const Form& form_;
  bool long_mode_;
  Insn& insn_;
};

/// Fills in insn.op and takes the immediates. All of Insn that comes before them must be there.
/// False: #UD.
[[gnu::always_inline]] inline bool take_operands(Cursor& cursor, const Prefixes& prefixes,
                                                 const Form& form, bool long_mode, bool in_memory,
                                                 Insn& insn) {
  const std::array<u8, kSources> numbers{0, static_cast<u8>((insn.modrm >> 3 & 7) | prefixes.rex_r),
                                         static_cast<u8>((insn.modrm & 7) | prefixes.rex_b),
                                         static_cast<u8>((insn.opcode & 7) | prefixes.rex_b),
                                         prefixes.vvvv};
  const auto& sizes = kSizes[context_of(insn.operand_size, long_mode, prefixes.has(kVexL))];
  const unsigned high_byte = prefixes.has(kRex) ? 0 : kHighByte - 4;
  for (unsigned n = 0; n < isa::kMaxOperands; ++n) {
    const Slot& slot = form.slot[n];
    if (slot.kind == OperandKind::None) break;
    const bool memory = slot.may_be_memory && in_memory;
    unsigned number = (numbers[static_cast<unsigned>(slot.source)] & slot.mask) | slot.constant;
    const u8 size = sizes[static_cast<unsigned>(memory ? slot.memory_type : slot.type)];
    // Byte registers 4 to 7 are AH, CH, DH and BH unless there is a REX prefix.
    if (slot.kind == OperandKind::Gpr && size == 1 && number >= 4) number += high_byte;
    insn.op[n] = {memory ? OperandKind::Memory : slot.kind, static_cast<u8>(memory ? 0 : number),
                  size};
  }
  take_tail(cursor, form.tail, insn);
  return !form.special || Special(prefixes, form, long_mode, insn).apply();
}

}  // namespace rhea::x86::decoding
