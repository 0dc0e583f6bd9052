// SPDX-License-Identifier: GPL-2.0-or-later
// Host code that all blocks share: the way in, the way out, the call of an instruction's function.
#pragma once

#include "target/x86/translate/translator.h"

namespace rhea::x86::translating {

/// How translated code was left.
struct Left {
  /// Of the block that was left; null: behind a call.
  const void* const* header;
  u64 where;  ///< kScratch0 at Runtime::leave
};

/// Addresses in the buffer.
struct RuntimeCode {
  Runtime runtime;
  /// Left(void* state, const u8* block): loads the registers and goes there; `state` is
  /// state_of().
  const u8* enter{};
};

/// What Translated::call points to: calls an instruction of the block, whose registers, flags (in
/// Translated::flags) and all else lie in Cpu. Returns kGoOn, kLeave (RIP says where to), or the
/// address of the block's entry where it goes on.
/// The first argument is Translated::owner.
using CallInstruction = u64 (*)(void* owner, const void* const* header, u32 record);
inline constexpr u64 kGoOn = 0, kLeave = 1;
using Enter = Left (*)(void* state, const u8* block);

inline void* state_of(Cpu& cpu) { return reinterpret_cast<u8*>(cpu.gpr.data()) + kStateBias; }

RuntimeCode emit_runtime(Assembler& a, const StateLayout& state);

}  // namespace rhea::x86::translating
