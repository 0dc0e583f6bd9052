// SPDX-License-Identifier: GPL-2.0-or-later
// A decoded instruction: every operand spelled out, ready to be executed any number of times.
#pragma once

#include "rhea/util/types.h"

#include <array>

namespace rhea::x86 {

struct Cpu;
struct Insn;
namespace interp {
struct NativeForm;
}  // namespace interp

/// Executes one instruction. RIP is already that of the next one; a fault is thrown (Fault) before
/// any architectural state has changed.
using Execute = void (*)(Cpu& cpu, const Insn& insn);

enum class OperandKind : u8 {
  None,
  Gpr,        ///< reg: number; byte registers AH, CH, DH, BH are kHighByte + 0..3
  Memory,     ///< the instruction's one memory operand: base, index, scale, disp, seg
  Immediate,  ///< Insn::imm, sign-extended as the form says
  Relative,   ///< Insn::imm: displacement from the next instruction
  Far,        ///< Insn::imm offset, Insn::imm2 selector
  Segment,    ///< reg: Seg
  Control,    ///< reg: CRn
  Debug,      ///< reg: DRn
  Mmx,        ///< reg: MMn
  Vector,     ///< reg: XMMn or YMMn; size 16 or 32 (or of the scalar part: 1, 2, 4, 8)
  X87,        ///< reg: ST(n)
};

/// Added to the number of AH, CH, DH and BH.
inline constexpr u8 kHighByte = 16;

struct Operand {
  OperandKind kind{OperandKind::None};
  u8 reg{};
  u8 size{};  ///< bytes that are read or written; 0: none (LEA, INVLPG, NOP)
  friend bool operator==(const Operand&, const Operand&) = default;
};

/// Places in Cpu::gpr beside the sixteen registers.
inline constexpr u8 kRip = 16;    ///< base of a RIP-relative operand
inline constexpr u8 kNoReg = 17;  ///< base or index that is absent: always zero
inline constexpr u8 kNoSegment = 6;

enum Prefix : u16 {
  kLock = 1 << 0,
  kRep = 1 << 1,    ///< F3, also where it is a mandatory prefix
  kRepne = 1 << 2,  ///< F2, likewise
  kOperandSize = 1 << 3,
  kAddressSize = 1 << 4,
  kRex = 1 << 5,
  kRexW = 1 << 6,  ///< REX.W or VEX.W
  kVex = 1 << 7,
  kVexL = 1 << 8,
  kSegmentOverride = 1 << 9,
};

/// Where a form has operands that are not in ModRM:
/// - "movoffs" is MOV with an absolute offset: imm is the offset, op's Memory has no base.
/// - String instructions' operands are Memory with the element's size; base is rSI and seg its
///   segment if the form reads there, else rDI and ES.
/// - A gather's index is the number of a vector register.
/// - FLDENV, FXSAVE, XSAVE and the like have a memory operand of size 0: their functions know.
struct Insn {
  Execute exec{};
  const interp::NativeForm* native{};  ///< of vector instructions: how the host executes it
  u64 imm{};   ///< immediate (sign-extended to 64 bits unless the form zero-extends), branch
               ///< displacement, far offset or moffs address
  i32 disp{};  ///< of the memory operand, sign-extended
  u16 imm2{};  ///< far selector, ENTER's level, the second of two immediates
  u16 row{};   ///< isa::rows() index
  u16 prefixes{};
  u8 length{};
  u8 operand_size{};  ///< 2, 4, 8: effective operand size of the mode and prefixes (byte forms too)
  u8 address_size{};  ///< 2, 4, 8
  u8 base{kNoReg};
  u8 index{kNoReg};
  u8 scale{};  ///< shift count of the index
  /// Segment of the memory operand, default or overridden (Seg). Where the form has none: DS or the
  /// override, as XLAT, MASKMOVQ or MONITOR use it.
  u8 seg{kNoSegment};
  u8 opcode{};  ///< last opcode byte
  u8 modrm{};   ///< as encoded; 0 where there is none
  u8 vvvv{};    ///< VEX.vvvv, not inverted
  std::array<Operand, 4> op{};

  bool has(Prefix prefix) const { return (prefixes & prefix) != 0; }
  bool memory() const {
    return op[0].kind == OperandKind::Memory || op[1].kind == OperandKind::Memory ||
           op[2].kind == OperandKind::Memory;
  }
};

}  // namespace rhea::x86
