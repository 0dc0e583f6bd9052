// SPDX-License-Identifier: GPL-2.0-or-later
// The six status flags, computed only when somebody looks.
#pragma once

#include "target/x86/registers.h"

#include <bit>

namespace rhea::x86 {

/// What the last flag-setting instruction left: its result and the carries out of each bit (for a
/// subtraction: the borrows). From these two follow all six flags: CF is the carry out of the top
/// bit, OF that carry against the one into the top bit, AF the carry out of bit 3; SF, ZF and PF
/// are the result's.
class Flags {
 public:
  /// `result` and `carries` count in their low `sizeof(T)` bytes.
  template <class T>
  void set(T result, T carries) {
    using Signed = std::make_signed_t<T>;
    result_ = static_cast<u64>(static_cast<i64>(static_cast<Signed>(result)));
    carries_ = carries;
    top_ = 8 * sizeof(T) - 1;
    lazy_ = true;
  }
  /// Result flags from `result`; CF and OF as given, AF clear.
  template <class T>
  void set(T result, bool cf, bool of) {
    set<T>(result, carry_bits<T>(cf, of));
  }
  /// A carry vector that says CF and OF, with AF as in `others`.
  template <class T>
  static T carry_bits(bool cf, bool of, T others = 0) {
    constexpr unsigned top = 8 * sizeof(T) - 1;
    return static_cast<T>((others & 0x0f) | static_cast<T>(T{cf} << top) |
                          static_cast<T>(T(cf != of) << (top - 1)));
  }
  template <class T>
  void set_logic(T result) {
    set<T>(result, T{0});
  }

  bool cf() const { return lazy_ ? (carries_ >> top_ & 1) != 0 : (bits_ & eflags::kCf) != 0; }
  bool of() const {
    return lazy_ ? ((carries_ ^ carries_ << 1) >> top_ & 1) != 0 : (bits_ & eflags::kOf) != 0;
  }
  bool af() const { return lazy_ ? (carries_ >> 3 & 1) != 0 : (bits_ & eflags::kAf) != 0; }
  bool zf() const { return lazy_ ? result_ == 0 : (bits_ & eflags::kZf) != 0; }
  bool sf() const { return lazy_ ? static_cast<i64>(result_) < 0 : (bits_ & eflags::kSf) != 0; }
  bool pf() const {
    return lazy_ ? std::popcount(static_cast<u8>(result_)) % 2 == 0 : (bits_ & eflags::kPf) != 0;
  }

  /// The status flags at their places in EFLAGS, nothing else.
  u32 value() const {
    if (!lazy_) return bits_;
    return static_cast<u32>((cf() ? eflags::kCf : 0) | (pf() ? eflags::kPf : 0) |
                            (af() ? eflags::kAf : 0) | (zf() ? eflags::kZf : 0) |
                            (sf() ? eflags::kSf : 0) | (of() ? eflags::kOf : 0));
  }
  void set_value(u64 bits) {
    bits_ = static_cast<u32>(bits & eflags::kStatus);
    lazy_ = false;
  }
  /// Replaces the flags in `mask` by those of `bits`.
  void change(u64 mask, u64 bits) { set_value((value() & ~mask) | (bits & mask)); }

 private:
  u64 result_{};
  u64 carries_{};
  u32 bits_{};
  u8 top_{};
  bool lazy_{};
};

/// The sixteen conditions of Jcc, SETcc and CMOVcc by their low opcode bits (SDM vol. 1, app. B).
inline bool condition(const Flags& flags, unsigned code) {
  const auto base = [&] {
    switch (code >> 1) {
      case 0: return flags.of();
      case 1: return flags.cf();
      case 2: return flags.zf();
      case 3: return flags.cf() || flags.zf();
      case 4: return flags.sf();
      case 5: return flags.pf();
      case 6: return flags.sf() != flags.of();
      default: return flags.zf() || flags.sf() != flags.of();
    }
  };
  return base() != ((code & 1) != 0);
}

}  // namespace rhea::x86
