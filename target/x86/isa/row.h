// SPDX-License-Identifier: GPL-2.0-or-later
// The instruction table's rows: one an opcode, written in the SDM's operand letters.
#pragma once

#include "target/x86/features.h"

#include <array>
#include <span>
#include <string_view>

namespace rhea::x86::isa {

enum class Map : u8 { OneByte, Map0f, Map0f38, Map0f3a };

/// None: 66, F2 and F3 keep their ordinary meanings or have none. Np: #UD with any of them.
enum class MandatoryPrefix : u8 { None, P66, PF3, PF2, Np };

enum Attribute : u32 {
  Lockable = 1 << 0,       ///< LOCK is allowed where operand 0 is memory
  No64 = 1 << 1,           ///< #UD in 64-bit mode
  Only64 = 1 << 2,         ///< #UD outside
  Default64 = 1 << 3,      ///< operand size is 64 bits in 64-bit mode (66 makes it 16)
  Force64 = 1 << 4,        ///< likewise, whatever the prefixes
  Cpl0 = 1 << 5,           ///< #GP above CPL 0
  ProtectedOnly = 1 << 6,  ///< #UD in real and virtual-8086 mode
  EndsBlock = 1 << 7,      ///< what follows may have to be decoded or run differently
  MemoryOnly = 1 << 8,     ///< #UD with a register in ModRM.rm
  RegisterOnly = 1 << 9,
  NoVm86 = 1 << 10,        ///< #GP or IOPL rules in virtual-8086 mode are the function's
  NativeVector = 1 << 11,  ///< executed by the host's own instruction (MMX, SSE, AVX)
  Unaligned = 1 << 12,     ///< a 16-byte or larger legacy-SSE operand need not be aligned
  VexL0 = 1 << 13,         ///< the only VEX.L that is allowed
  VexL1 = 1 << 14,
  VexW0 = 1 << 15,  ///< the only VEX.W (legacy forms: REX.W) that is allowed
  VexW1 = 1 << 16,
  Near64 = 1 << 17,     ///< near branch: Force64 on Intel's processors, Default64 on AMD's
  IgnoreMod = 1 << 18,  ///< ModRM.rm is a register whatever ModRM.mod says (MOV CR, DR)
  Vsib = 1 << 19,       ///< the memory operand's index is a vector register
  L1Avx2 = 1 << 20,     ///< with VEX.L = 1 also AVX2 must be there
  NoRexB = 1 << 21,     ///< REX.B makes it another instruction (NOP)
};

inline constexpr unsigned kMaxOperands = 4;

/// How an operand is addressed: SDM vol. 2, appendix A.2.1, and where that has no letter, ours.
enum class Method : u8 {
  None,
  E,        ///< ModRM.rm: general register or memory
  G,        ///< ModRM.reg: general register
  M,        ///< ModRM.rm: memory only
  R,        ///< ModRM.rm: general register only
  Z,        ///< the opcode's low three bits: general register (eight opcodes)
  I,        ///< immediate
  J,        ///< displacement of a branch
  O,        ///< memory at an absolute offset (Insn::imm)
  A,        ///< far pointer in the instruction
  B,        ///< VEX.vvvv: general register
  C,        ///< ModRM.reg: control register
  D,        ///< ModRM.reg: debug register
  S,        ///< ModRM.reg: segment register
  X,        ///< memory at DS:rSI (DS may be overridden)
  Y,        ///< memory at ES:rDI
  P,        ///< ModRM.reg: MMX register
  Q,        ///< ModRM.rm: MMX register or memory
  N,        ///< ModRM.rm: MMX register only
  V,        ///< ModRM.reg: vector register
  W,        ///< ModRM.rm: vector register or memory
  U,        ///< ModRM.rm: vector register only
  H,        ///< VEX.vvvv: vector register
  L,        ///< bits 7..4 of the last byte: vector register
  StI,      ///< ModRM.rm: x87 register ("STi")
  St0,      ///< ST(0)
  Gpr,      ///< the register `reg` ("AL", "DX", "eAX", "rAX")
  Segment,  ///< the segment register `reg` ("ES")
  One,      ///< an immediate 1 that is not encoded
};

/// Size of an operand.
enum class Type : u8 {
  None,  ///< no size (LEA, INVLPG, NOP) or one that its function knows (FXSAVE)
  B,     ///< a byte; as an immediate zero-extended
  Bs,    ///< a byte that is sign-extended
  W,     ///< 2 bytes
  D,     ///< 4 bytes
  Q,     ///< 8 bytes
  T,     ///< 10 bytes
  Dq,    ///< 16 bytes
  Qq,    ///< 32 bytes
  V,     ///< operand size
  Z,     ///< operand size but at most 4
  Y,     ///< 8 with REX.W or VEX.W, else 4
  N,     ///< 8 in 64-bit mode, else 4
  P,     ///< far pointer: operand size and a selector
  S,     ///< descriptor-table register: 6 or 10 bytes
  A,     ///< two of the operand size (BOUND)
  X,     ///< 16 or 32 by VEX.L
  X2,    ///< half of it
  X4,    ///< a quarter
  X8,    ///< an eighth
};

struct OperandSpec {
  Method method{};
  Type type{};
  Type memory_type{};  ///< where it differs for memory ("Rd/Mb")
  u8 reg{};
};

/// Status flags an instruction reads, writes and leaves undefined, as EFLAGS bits. An instruction
/// that may leave a flag alone (a shift by zero) also reads it.
struct FlagUse {
  u32 reads{}, writes{}, undefined{};
};

struct Row {
  Map map{};
  u8 opcode{};
  u8 opcodes{1};  ///< how many in a row: 8 (register in the opcode) or 16 (conditions)
  MandatoryPrefix prefix{};
  bool vex{};
  bool has_modrm{};
  i8 extension{-1};           ///< ModRM.reg as an opcode extension; -1: none
  i16 second{-1};             ///< x87 and system: a whole ModRM byte of 0xc0..0xff; -1: none
  std::string_view mnemonic;  ///< lower case, SDM spelling: "add", "jcc", "vaddps"
  std::string_view operands;  ///< "Ev,Gv"
  std::array<OperandSpec, kMaxOperands> operand{};
  Feature feature{Feature::Fpu};  ///< that must be there; meaningful when has_feature
  bool has_feature{};
  u32 attributes{};
  FlagUse flags;
  constexpr bool is(Attribute attribute) const { return (attributes & attribute) != 0; }
};

/// The whole table; Insn::row counts in it.
std::span<const Row> rows();

}  // namespace rhea::x86::isa
