// SPDX-License-Identifier: GPL-2.0-or-later
// Legacy, REX and VEX prefixes (SDM vol. 2, 2.1.1, 2.2.1 and 2.3.5).
#include "target/x86/decode/prefix.h"

#include "target/x86/cpu_state.h"

namespace rhea::x86::decoding {
namespace {

enum Kind : u8 { kNone, kSegment, kRexByte, kOperand, kAddress, kLockByte, kRepneByte, kRepByte };

constexpr std::array<u8, 256> kKinds = [] {
  std::array<u8, 256> kinds{};
  for (const u8 segment : {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65}) kinds[segment] = kSegment;
  for (unsigned rex = 0x40; rex < 0x50; ++rex) kinds[rex] = kRexByte;
  kinds[0x66] = kOperand;
  kinds[0x67] = kAddress;
  kinds[0xf0] = kLockByte;
  kinds[0xf2] = kRepneByte;
  kinds[0xf3] = kRepByte;
  return kinds;
}();

/// In 64-bit mode only FS and GS count, the others do not even cancel these.
void note_segment(Prefixes& prefixes, u8 byte, bool long_mode) {
  if (byte < 0x64 && long_mode) return;
  prefixes.segment = static_cast<u8>(byte >= 0x64 ? byte - 0x60 : byte >> 3 & 3);
  prefixes.bits |= kSegmentOverride;
}

void note_rex(Prefixes& prefixes, u8 rex) {
  prefixes.bits |= static_cast<u16>(kRex | (rex & 8 ? kRexW : 0));
  prefixes.rex_r = static_cast<u8>((rex & 4) << 1);
  prefixes.rex_x = static_cast<u8>((rex & 2) << 2);
  prefixes.rex_b = static_cast<u8>((rex & 1) << 3);
}

}  // namespace

void take_prefixes(Cursor& cursor, bool long_mode, Prefixes& prefixes) {
  u8 rex = 0;
  for (;; cursor.skip()) {
    const u8 byte = cursor.peek();
    const u8 kind = kKinds[byte];
    if (kind == kNone || (kind == kRexByte && !long_mode)) break;
    if (kind == kRexByte) {
      rex = byte;
      continue;
    }
    rex = 0;  // It counts only right before the opcode.
    switch (kind) {
      case kSegment: note_segment(prefixes, byte, long_mode); break;
      case kOperand: prefixes.bits |= kOperandSize; break;
      case kAddress: prefixes.bits |= kAddressSize; break;
      case kLockByte: prefixes.bits |= kLock; break;
      case kRepneByte: prefixes.bits = static_cast<u16>((prefixes.bits & ~kRep) | kRepne); break;
      default: prefixes.bits = static_cast<u16>((prefixes.bits & ~kRepne) | kRep); break;
    }
  }
  if (rex != 0) note_rex(prefixes, rex);
  // F2 and F3 go before 66, of the two the last counts.
  if (prefixes.has(kRepne))
    prefixes.mandatory = static_cast<u8>(isa::MandatoryPrefix::PF2);
  else if (prefixes.has(kRep))
    prefixes.mandatory = static_cast<u8>(isa::MandatoryPrefix::PF3);
  else if (prefixes.has(kOperandSize))
    prefixes.mandatory = static_cast<u8>(isa::MandatoryPrefix::P66);
}

bool is_vex(const Cursor& cursor, const DecodeMode& mode) {
  if (mode.code_bits == 64) return true;
  return !mode.real_or_v86 && cursor.peek() >= 0xc0;
}

bool take_vex(Cursor& cursor, u8 first, bool long_mode, Prefixes& prefixes, isa::Map& map) {
  if (prefixes.bits & (kOperandSize | kRep | kRepne | kLock | kRex)) return false;
  u8 second = cursor.take<u8>();
  map = isa::Map::Map0f;
  prefixes.rex_r = static_cast<u8>((~second & 0x80) >> 4);
  prefixes.bits |= kVex;
  if (first == 0xc4) {
    const u8 select = second & 0x1f;
    if (select < 1 || select > 3) return false;
    map = static_cast<isa::Map>(select);
    prefixes.rex_x = static_cast<u8>((~second & 0x40) >> 3);
    prefixes.rex_b = static_cast<u8>((~second & 0x20) >> 2);
    second = cursor.take<u8>();
    if (second & 0x80) prefixes.bits |= kRexW;
  }
  prefixes.vvvv = static_cast<u8>(~second >> 3 & 15);
  if (second & 4) prefixes.bits |= kVexL;
  constexpr std::array<u8, 4> kByPp{0, 1, 2, 3};  // none, 66, F3, F2: isa::MandatoryPrefix
  prefixes.mandatory = kByPp[second & 3];
  if (!long_mode) {
    prefixes.rex_b = 0;  // ignored there, as vvvv's highest bit is
  }
  return true;
}

}  // namespace rhea::x86::decoding
