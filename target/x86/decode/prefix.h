// SPDX-License-Identifier: GPL-2.0-or-later
// Legacy, REX and VEX prefixes.
#pragma once

#include "target/x86/decode/decode.h"
#include "target/x86/isa/row.h"

#include <array>
#include <cstring>

namespace rhea::x86::decoding {

/// Bytes that must be readable at the start of an instruction, so that nothing need be checked on
/// the way: the longest prefixes and the longest rest, each as if it were alone.
inline constexpr unsigned kReadable = 48;

/// The bytes of the instruction. It may go past their end: what comes out then is worth nothing,
/// and whoever is about to say that it decoded looks at taken().
class Cursor {
 public:
  explicit Cursor(const u8* bytes) : begin_(bytes), at_(bytes) {}
  unsigned taken() const { return static_cast<unsigned>(at_ - begin_); }
  u8 peek() const { return *at_; }
  void skip(unsigned count = 1) { at_ += count; }
  /// What lies ahead, without taking it.
  template <class T>
  T look() const {
    T value;
    std::memcpy(&value, at_, sizeof value);
    return value;
  }
  template <class T>
  T take() {
    const T value = look<T>();
    at_ += sizeof value;
    return value;
  }

 private:
  const u8* begin_;
  const u8* at_;
};

/// What prefixes say, those in VEX included. Register extensions are 0 or 8.
struct Prefixes {
  u16 bits{};  ///< Prefix
  u8 segment{kNoSegment};
  u8 mandatory{};  ///< isa::MandatoryPrefix: None to PF2
  u8 rex_r{}, rex_x{}, rex_b{};
  u8 vvvv{};
  bool has(Prefix prefix) const { return (bits & prefix) != 0; }
};

/// What a byte is to the decoder where an opcode may stand.
enum class PrefixKind : u8 {
  None,  ///< an opcode
  Segment,
  Rex,
  OperandSize,
  AddressSize,
  Lock,
  Repne,
  Rep,
  Escape,  ///< 0F, or the first byte of VEX
};

inline constexpr std::array<PrefixKind, 256> kPrefixKinds = [] {
  std::array<PrefixKind, 256> kinds{};
  for (const u8 segment : {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65})
    kinds[segment] = PrefixKind::Segment;
  for (unsigned rex = 0x40; rex < 0x50; ++rex) kinds[rex] = PrefixKind::Rex;
  kinds[0x66] = PrefixKind::OperandSize;
  kinds[0x67] = PrefixKind::AddressSize;
  kinds[0xf0] = PrefixKind::Lock;
  kinds[0xf2] = PrefixKind::Repne;
  kinds[0xf3] = PrefixKind::Rep;
  kinds[0x0f] = kinds[0xc4] = kinds[0xc5] = PrefixKind::Escape;
  return kinds;
}();

/// Seg that a segment-override prefix names.
constexpr u8 segment_of(u8 prefix) {
  return static_cast<u8>(prefix >= 0x64 ? prefix - 0x60 : prefix >> 3 & 3);
}

inline void note_rex(Prefixes& prefixes, u8 rex) {
  prefixes.bits |= static_cast<u16>(kRex | (rex & 8 ? kRexW : 0));
  prefixes.rex_r = static_cast<u8>((rex & 4) << 1);
  prefixes.rex_x = static_cast<u8>((rex & 2) << 2);
  prefixes.rex_b = static_cast<u8>((rex & 1) << 3);
}

/// Cursor and prefixes by value, here and below: what is passed by address has to lie in memory on
/// the fast paths too.
struct Taken {
  Cursor cursor;
  Prefixes prefixes;
  isa::Map map{isa::Map::Map0f};  ///< VEX
  bool good{true};                ///< false: #UD
};

/// Takes any number of prefixes, up to the opcode; VEX is not one of them.
Taken take_many_prefixes(Cursor cursor, bool long_mode);

/// Whether the byte C4 or C5 that was just taken begins a VEX prefix here; LES or LDS if not.
inline bool is_vex(const Cursor& cursor, const DecodeMode& mode) {
  if (mode.code_bits == 64) return true;
  return !mode.real_or_v86 && cursor.peek() >= 0xc0;
}

/// Takes the rest of a VEX prefix that begins with `first`.
Taken take_vex(Cursor cursor, u8 first, bool long_mode, Prefixes before);

}  // namespace rhea::x86::decoding
