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

/// The letters of one instruction, turned into operands.
class Operands {
 public:
  Operands(Cursor& cursor, const Prefixes& prefixes, bool long_mode, Insn& insn)
      : cursor_(cursor),
        prefixes_(prefixes),
        insn_(insn),
        sizes_(kSizes[context_of(insn.operand_size, long_mode, prefixes.has(kVexL))]),
        long_mode_(long_mode) {}

  [[gnu::always_inline]] bool take(const OperandSpec& spec, Operand& op) {
    op.size = sizes_[static_cast<unsigned>(spec.type)];
    switch (spec.method) {
      case Method::None: return true;
      case Method::E:
        if (!is_register()) return memory(spec, op);
        [[fallthrough]];
      case Method::R: return gpr(op, rm());
      case Method::G: return gpr(op, reg());
      case Method::Z: return gpr(op, (insn_.opcode & 7U) | prefixes_.rex_b);
      case Method::B: return gpr(op, insn_.vvvv);
      case Method::Gpr: return gpr(op, spec.reg);
      case Method::M: return memory(spec, op);
      case Method::I: return immediate(spec.type, op);
      case Method::J: return relative(spec.type, op);
      case Method::One: insn_.imm = 1; return set(op, OperandKind::Immediate, 0);
      case Method::O: return offset(op);
      case Method::A: return far(op);
      case Method::X: return implied_memory(op, Rsi, prefixes_.segment);
      case Method::Y: return implied_memory(op, Rdi, Es);
      default: return take_special(spec, op);
    }
  }

 private:
  [[gnu::always_inline]] bool take_special(const OperandSpec& spec, Operand& op) {
    switch (spec.method) {
      case Method::W:
        if (!is_register()) return memory(spec, op);
        [[fallthrough]];
      case Method::U: return set(op, OperandKind::Vector, rm());
      case Method::V: return set(op, OperandKind::Vector, reg());
      case Method::H: return set(op, OperandKind::Vector, insn_.vvvv);
      case Method::L: return last_byte(op);
      case Method::Q:
        if (!is_register()) return memory(spec, op);
        [[fallthrough]];
      case Method::N: return set(op, OperandKind::Mmx, insn_.modrm & 7U);
      case Method::P: return set(op, OperandKind::Mmx, insn_.modrm >> 3 & 7U);
      case Method::C: return control(op);
      case Method::D: return set(op, OperandKind::Debug, reg()) && op.reg < 8;
      case Method::S: return segment(op);
      case Method::Segment: return set(op, OperandKind::Segment, spec.reg);
      case Method::StI: return set(op, OperandKind::X87, insn_.modrm & 7U);
      default: return set(op, OperandKind::X87, 0);
    }
  }

  bool is_register() const { return insn_.modrm >= 0xc0; }
  unsigned reg() const { return (insn_.modrm >> 3 & 7U) | prefixes_.rex_r; }
  unsigned rm() const { return (insn_.modrm & 7U) | prefixes_.rex_b; }

  static bool set(Operand& op, OperandKind kind, unsigned number) {
    op.kind = kind;
    op.reg = static_cast<u8>(number);
    return true;
  }

  /// Byte registers 4 to 7 are AH, CH, DH and BH unless there is a REX prefix.
  bool gpr(Operand& op, unsigned number) {
    if (op.size == 1 && number >= 4 && !prefixes_.has(kRex)) number += kHighByte - 4;
    return set(op, OperandKind::Gpr, number);
  }

  bool memory(const OperandSpec& spec, Operand& op) {
    op.size = sizes_[static_cast<unsigned>(spec.memory_type)];
    return set(op, OperandKind::Memory, 0);
  }

  bool implied_memory(Operand& op, u8 base, u8 segment) {
    insn_.base = base;
    insn_.seg = segment == kNoSegment ? u8{Ds} : segment;
    return set(op, OperandKind::Memory, 0);
  }

  [[gnu::always_inline]] bool immediate(Type type, Operand& op) {
    const bool second = immediates_++ != 0;
    u64 value = 0;
    if (type == Type::B)
      value = cursor_.take<u8>();
    else if (type == Type::Bs)
      value = static_cast<u64>(i64{cursor_.take<i8>()});
    else if (type == Type::W)
      value = cursor_.take<u16>();
    else if (op.size == 2)
      value = static_cast<u64>(i64{cursor_.take<i16>()});
    else if (op.size == 4)
      value = static_cast<u64>(i64{cursor_.take<i32>()});
    else
      value = cursor_.take<u64>();
    if (second)
      insn_.imm2 = static_cast<u16>(value);
    else
      insn_.imm = value;
    return set(op, OperandKind::Immediate, 0);
  }

  bool relative(Type type, Operand& op) {
    if (type == Type::B)
      insn_.imm = static_cast<u64>(i64{cursor_.take<i8>()});
    else if (op.size == 2)
      insn_.imm = static_cast<u64>(i64{cursor_.take<i16>()});
    else
      insn_.imm = static_cast<u64>(i64{cursor_.take<i32>()});
    return set(op, OperandKind::Relative, 0);
  }

  bool offset(Operand& op) {
    if (insn_.address_size == 8)
      insn_.imm = cursor_.take<u64>();
    else if (insn_.address_size == 4)
      insn_.imm = cursor_.take<u32>();
    else
      insn_.imm = cursor_.take<u16>();
    return set(op, OperandKind::Memory, 0);
  }

  bool far(Operand& op) {
    op.size = insn_.operand_size;
    insn_.imm = op.size == 2 ? cursor_.take<u16>() : cursor_.take<u32>();
    insn_.imm2 = cursor_.take<u16>();
    return set(op, OperandKind::Far, 0);
  }

  /// Outside 64-bit mode VEX's register fields have just three bits that count.
  bool last_byte(Operand& op) {
    insn_.imm = cursor_.take<u8>();
    return set(op, OperandKind::Vector, insn_.imm >> 4 & (long_mode_ ? 15U : 7U));
  }

  /// CS cannot be loaded.
  bool segment(Operand& op) {
    set(op, OperandKind::Segment, insn_.modrm >> 3 & 7U);
    return op.reg <= Gs && !(op.reg == Cs && &op == &insn_.op[0]);
  }

  /// LOCK stands for REX.R there on processors with AMD's CR8 outside 64-bit mode.
  bool control(Operand& op) {
    set(op, OperandKind::Control, reg() | (prefixes_.has(kLock) ? 8U : 0U));
    return op.reg == 0 || op.reg == 2 || op.reg == 3 || op.reg == 4 || op.reg == 8;
  }

  Cursor& cursor_;
  const Prefixes& prefixes_;
  Insn& insn_;
  const std::array<u8, kTypes>& sizes_;
  bool long_mode_;
  unsigned immediates_{};
};

/// Fills in insn.op and takes the immediates. All of Insn that comes before them must be there.
/// False: #UD.
[[gnu::always_inline]] inline bool take_operands(Cursor& cursor, const Prefixes& prefixes,
                                                 const Form& form, bool long_mode, Insn& insn) {
  Operands operands(cursor, prefixes, long_mode, insn);
  for (unsigned n = 0; n < isa::kMaxOperands; ++n) {
    if (form.operand[n].method == Method::None) break;
    if (!operands.take(form.operand[n], insn.op[n])) return false;
  }
  return true;
}

}  // namespace rhea::x86::decoding
