// SPDX-License-Identifier: GPL-2.0-or-later
// How the host executes a form of a vector instruction: the same instruction on fixed registers,
// between loads and stores of them.
#pragma once

#include "target/x86/insn.h"
#include "target/x86/isa/row.h"

#include <array>

namespace rhea::x86::interp {

/// The places of an encoding that can name a register (SDM vol. 2, 2.3.6).
enum class Place : u8 { Reg, Rm, Vvvv, Is4 };
inline constexpr unsigned kPlaces = 4;

enum class Bank : u8 { None, Vector, Mmx, Gpr };

/// What must be on and what happens to the x87 registers.
enum class Gate : u8 {
  Mmx,     ///< MMX registers alone
  Sse,     ///< XMM registers
  SseMmx,  ///< both
  Avx,
};

/// Addresses of the registers at each place, of 32 bytes in the memory operand's stead, and of RAX;
/// Is4 is XMM0's address where that is implied. Returns the status flags.
using Thunk = u64 (*)(void* memory, void* reg, void* rm, void* vvvv, void* is4, u64* gpr);

struct NativeForm {
  static constexpr u8 kNoOperand = 0xff;

  Thunk code{};
  std::array<Bank, kPlaces> bank{};
  std::array<u8, kPlaces> operand{kNoOperand, kNoOperand, kNoOperand, kNoOperand};
  Place destination{};  ///< of operand 0, unless that is memory
  u8 memory_operand{kNoOperand};
  bool store{};           ///< operand 0 is memory
  bool xmm0{};            ///< an implied operand
  bool floating_point{};  ///< MXCSR counts
  bool sets_flags{};
  Gate gate{};
  u8 alignment{1};  ///< the memory operand's; #GP(0) if it does not have it
};

/// The place that an operand is encoded in; kPlaces: none.
unsigned place_of(isa::Method method);
/// What a memory operand of so many bytes must be aligned to.
u8 alignment_of(const isa::Row& row, unsigned size);

/// The form of this instruction; built at its first use, never freed. nullptr: the host cannot.
/// Thread-safe.
const NativeForm* native_form(const Insn& insn);

/// Host code in bytes, of all forms so far.
size_t native_code_size();

}  // namespace rhea::x86::interp
