// SPDX-License-Identifier: GPL-2.0-or-later
// ModRM and SIB: the memory operand (SDM vol. 2, tables 2-1 to 2-3).
#pragma once

#include "target/x86/cpu_state.h"
#include "target/x86/decode/prefix.h"
#include "target/x86/insn.h"

namespace rhea::x86::decoding {

struct Pair {
  u8 base, index;
};
/// 16-bit addressing by ModRM.rm.
inline constexpr std::array<Pair, 8> kPairs{{{Rbx, Rsi},
                                             {Rbx, Rdi},
                                             {Rbp, Rsi},
                                             {Rbp, Rdi},
                                             {Rsi, kNoReg},
                                             {Rdi, kNoReg},
                                             {Rbp, kNoReg},
                                             {Rbx, kNoReg}}};

[[gnu::always_inline]] inline void take_memory16(Cursor& cursor, Insn& insn) {
  const unsigned mod = insn.modrm >> 6;
  const unsigned rm = insn.modrm & 7;
  insn.base = kPairs[rm].base;
  insn.index = kPairs[rm].index;
  if (mod == 0 && rm == 6) {
    insn.base = kNoReg;
    insn.disp = cursor.take<i16>();
  } else if (mod == 1) {
    // NOLINTNEXTLINE(bugprone-signed-char-misuse): a number, with its sign
    insn.disp = cursor.take<i8>();
  } else if (mod == 2) {
    insn.disp = cursor.take<i16>();
  }
}

/// Fills in base, index, scale, disp and seg for a ModRM byte with mod < 3. insn.address_size must
/// be there. `vsib`: the index is a vector register, and there must be a SIB byte; false if not.
[[gnu::always_inline]] inline bool take_memory(Cursor& cursor, const Prefixes& prefixes,
                                               bool long_mode, bool vsib, Insn& insn) {
  const unsigned mod = insn.modrm >> 6;
  unsigned rm = insn.modrm & 7;
  if (vsib && (rm != Rsp || insn.address_size == 2)) return false;
  if (insn.address_size == 2) {
    take_memory16(cursor, insn);
  } else {
    u8 absent = long_mode ? kRip : kNoReg;  // the base's stand-in
    if (rm == Rsp) {
      const u8 sib = cursor.take<u8>();
      const auto index = static_cast<u8>((sib >> 3 & 7) | prefixes.rex_x);
      insn.index = index != Rsp || vsib ? index : kNoReg;
      insn.scale = index != Rsp || vsib ? sib >> 6 : 0;
      rm = sib & 7;
      absent = kNoReg;
    }
    const bool no_base = rm == Rbp && mod == 0;
    insn.base = no_base ? absent : static_cast<u8>(rm | prefixes.rex_b);
    // A displacement of 0, 1 or 4 bytes, without a branch.
    const unsigned size = no_base ? 4 : mod * mod;
    const unsigned cut = mod == 1 ? 24 : 0;
    const i32 disp = static_cast<i32>(cursor.look<u32>() << cut) >> cut;
    insn.disp = size != 0 ? disp : 0;
    cursor.skip(size);
  }
  const u8 seg = insn.base == Rbp || insn.base == Rsp ? Ss : Ds;
  insn.seg = prefixes.segment != kNoSegment ? prefixes.segment : seg;
  return true;
}

}  // namespace rhea::x86::decoding
