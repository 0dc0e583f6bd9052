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
    insn.disp = cursor.take<i8>();
  } else if (mod == 2) {
    insn.disp = cursor.take<i16>();
  }
}

/// False: the base is absent and a 32-bit displacement follows.
[[gnu::always_inline]] inline bool take_sib(Cursor& cursor, const Prefixes& prefixes, bool vsib,
                                            Insn& insn) {
  const u8 sib = cursor.take<u8>();
  const auto index = static_cast<u8>((sib >> 3 & 7) | prefixes.rex_x);
  if (index != Rsp || vsib) {
    insn.index = index;
    insn.scale = sib >> 6;
  }
  if ((sib & 7) == Rbp && insn.modrm < 0x40) return false;
  insn.base = static_cast<u8>((sib & 7) | prefixes.rex_b);
  return true;
}

/// Fills in base, index, scale, disp and seg for a ModRM byte with mod < 3. insn.address_size must
/// be there. `vsib`: the index is a vector register, and there must be a SIB byte; false if not.
[[gnu::always_inline]] inline bool take_memory(Cursor& cursor, const Prefixes& prefixes,
                                               bool long_mode, bool vsib, Insn& insn) {
  const unsigned mod = insn.modrm >> 6;
  const unsigned rm = insn.modrm & 7;
  if (vsib && (rm != Rsp || insn.address_size == 2)) return false;
  if (insn.address_size == 2) {
    take_memory16(cursor, insn);
  } else {
    bool has_base = true;
    if (rm == Rsp) {
      has_base = take_sib(cursor, prefixes, vsib, insn);
    } else if (rm == Rbp && mod == 0) {
      has_base = false;
      if (long_mode) insn.base = kRip;
    } else {
      insn.base = static_cast<u8>(rm | prefixes.rex_b);
    }
    if (mod == 2 || !has_base)
      insn.disp = cursor.take<i32>();
    else if (mod == 1)
      insn.disp = cursor.take<i8>();
  }
  if (prefixes.segment != kNoSegment)
    insn.seg = prefixes.segment;
  else
    insn.seg = insn.base == Rbp || insn.base == Rsp ? Ss : Ds;
  return true;
}

}  // namespace rhea::x86::decoding
