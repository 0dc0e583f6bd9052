// SPDX-License-Identifier: GPL-2.0-or-later
// Legacy, REX and VEX prefixes (SDM vol. 2, 2.1.1, 2.2.1 and 2.3.5).
#include "target/x86/decode/prefix.h"

#include "target/x86/cpu_state.h"

namespace rhea::x86::decoding {
namespace {

/// In 64-bit mode only FS and GS count, the others do not even cancel these.
void note_segment(Prefixes& prefixes, u8 byte, bool long_mode) {
  if (byte < 0x64 && long_mode) return;
  prefixes.segment = segment_of(byte);
  prefixes.bits |= kSegmentOverride;
}

/// Of F2 and F3 the last counts.
void note(Prefixes& prefixes, PrefixKind kind, u8 byte, bool long_mode) {
  switch (kind) {
    case PrefixKind::None:
    case PrefixKind::Escape:
    case PrefixKind::Rex: break;
    case PrefixKind::Segment: return note_segment(prefixes, byte, long_mode);
    case PrefixKind::OperandSize: prefixes.bits |= kOperandSize; break;
    case PrefixKind::AddressSize: prefixes.bits |= kAddressSize; break;
    case PrefixKind::Lock: prefixes.bits |= kLock; break;
    case PrefixKind::Repne:
      prefixes.bits = static_cast<u16>((prefixes.bits & ~kRep) | kRepne);
      break;
    case PrefixKind::Rep: prefixes.bits = static_cast<u16>((prefixes.bits & ~kRepne) | kRep); break;
  }
}

}  // namespace

Taken take_many_prefixes(Cursor cursor, bool long_mode) {
  Prefixes prefixes;
  u8 rex = 0;
  for (; cursor.taken() < kLongestInsn; cursor.skip()) {
    const u8 byte = cursor.peek();
    const PrefixKind kind = kPrefixKinds[byte];
    if (kind == PrefixKind::None || kind == PrefixKind::Escape) break;
    if (kind == PrefixKind::Rex && !long_mode) break;
    // REX counts only right before the opcode.
    rex = kind == PrefixKind::Rex ? byte : u8{0};
    note(prefixes, kind, byte, long_mode);
  }
  if (rex != 0) note_rex(prefixes, rex);
  // F2 and F3 go before 66.
  if (prefixes.has(kRepne))
    prefixes.mandatory = static_cast<u8>(isa::MandatoryPrefix::PF2);
  else if (prefixes.has(kRep))
    prefixes.mandatory = static_cast<u8>(isa::MandatoryPrefix::PF3);
  else if (prefixes.has(kOperandSize))
    prefixes.mandatory = static_cast<u8>(isa::MandatoryPrefix::P66);
  return {.cursor = cursor, .prefixes = prefixes};
}

Taken take_vex(Cursor cursor, u8 first, bool long_mode, Prefixes before) {
  Taken taken{.cursor = cursor, .prefixes = before};
  Prefixes& prefixes = taken.prefixes;
  taken.good = (before.bits & (kOperandSize | kRep | kRepne | kLock | kRex)) == 0;
  u8 last = taken.cursor.take<u8>();
  prefixes.rex_r = static_cast<u8>((~last & 0x80) >> 4);
  prefixes.bits |= kVex;
  if (first == 0xc4) {
    const u8 map = last & 0x1f;
    taken.good = taken.good && map >= 1 && map <= 3;
    taken.map = static_cast<isa::Map>(map & 3);
    prefixes.rex_x = static_cast<u8>((~last & 0x40) >> 3);
    // Ignored outside 64-bit mode, where the other two must be 1 for this to be VEX at all.
    prefixes.rex_b = long_mode ? static_cast<u8>((~last & 0x20) >> 2) : u8{0};
    last = taken.cursor.take<u8>();
    if (last & 0x80) prefixes.bits |= kRexW;
  }
  prefixes.vvvv = static_cast<u8>(~last >> 3 & 15);
  if (last & 4) prefixes.bits |= kVexL;
  prefixes.mandatory = last & 3;  // none, 66, F3, F2 as in isa::MandatoryPrefix
  return taken;
}

}  // namespace rhea::x86::decoding
