// SPDX-License-Identifier: GPL-2.0-or-later
// Legacy, REX and VEX prefixes.
#pragma once

#include "target/x86/decode/decode.h"
#include "target/x86/isa/row.h"

#include <cstring>

namespace rhea::x86::decoding {

/// The bytes of the instruction. `taken` goes on counting past the end: what comes out then is
/// worth nothing, and whoever is about to say that it decoded asks short().
class Cursor {
 public:
  Cursor(const u8* bytes, unsigned size) : bytes_(bytes), size_(size) {}
  unsigned taken() const { return taken_; }
  bool ran_out() const { return taken_ > size_; }
  u8 peek() const { return taken_ < size_ ? bytes_[taken_] : u8{0}; }
  bool can_peek() const { return taken_ < size_; }
  void skip() { ++taken_; }
  template <class T>
  T take() {
    T value{};
    if (taken_ + sizeof(T) <= size_) [[likely]]
      std::memcpy(&value, bytes_ + taken_, sizeof value);
    taken_ += static_cast<unsigned>(sizeof(T));
    return value;
  }

 private:
  const u8* bytes_;
  unsigned size_;
  unsigned taken_{};
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

/// Takes all prefixes up to the opcode; VEX is not one of them.
void take_prefixes(Cursor& cursor, bool long_mode, Prefixes& prefixes);

/// Whether the byte C4 or C5 that was just taken begins a VEX prefix here; LES or LDS if not.
bool is_vex(const Cursor& cursor, const DecodeMode& mode);

/// Takes the rest of a VEX prefix that begins with `first`. False: #UD.
bool take_vex(Cursor& cursor, u8 first, bool long_mode, Prefixes& prefixes, isa::Map& map);

}  // namespace rhea::x86::decoding
