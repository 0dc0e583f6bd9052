// SPDX-License-Identifier: GPL-2.0-or-later
// The instruction table's rows: one an opcode, written in the SDM's operand letters.
#pragma once

#include "target/x86/features.h"

#include <array>
#include <span>
#include <string_view>

namespace rhea::x86::isa {

enum class Map : u8 { OneByte, Map0f, Map0f38, Map0f3a };
enum class MandatoryPrefix : u8 { None, P66, PF3, PF2 };

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
  VexW0 = 1 << 15,
  VexW1 = 1 << 16,
};

inline constexpr unsigned kMaxOperands = 4;

/// Status flags an instruction reads, writes and leaves undefined, as EFLAGS bits.
struct FlagUse {
  u32 reads{}, writes{}, undefined{};
};

struct Row {
  Map map{};
  u8 opcode{};
  MandatoryPrefix prefix{};
  bool vex{};
  bool has_modrm{};
  i8 extension{-1};               ///< ModRM.reg as an opcode extension; -1: none
  i16 second{-1};                 ///< x87: a whole ModRM byte of 0xc0..0xff; -1: none
  std::string_view mnemonic;      ///< lower case, SDM spelling: "add", "jcc", "vaddps"
  std::string_view operands;      ///< "Ev,Gv"
  Feature feature{Feature::Fpu};  ///< that must be there; meaningful when has_feature
  bool has_feature{};
  u32 attributes{};
  FlagUse flags;
  bool is(Attribute attribute) const { return (attributes & attribute) != 0; }
};

/// The whole table; Insn::row counts in it.
std::span<const Row> rows();

}  // namespace rhea::x86::isa
