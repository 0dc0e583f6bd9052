// SPDX-License-Identifier: GPL-2.0-or-later
// x87, MMX and vector registers.
#pragma once

#include "rhea/util/types.h"

#include <array>

namespace rhea::x86 {

/// An 80-bit register in its memory format, in the place FXSAVE gives it.
struct alignas(16) X87Register {
  u64 significand{};
  u16 sign_exponent{};
  std::array<u8, 6> reserved{};  ///< FXSAVE shows the guest these too
  friend bool operator==(const X87Register&, const X87Register&) = default;
};

struct X87 {
  std::array<X87Register, 8> reg{};  ///< by physical number: ST(i) is (TOP + i) % 8; MMn is n
  u16 fcw{0x037f};
  u16 fsw{};   ///< TOP included
  u8 valid{};  ///< bit n: physical register n is not empty (FXSAVE's abridged tag word)
  u16 fop{};
  u64 fip{}, fdp{};
  u16 fcs{}, fds{};

  unsigned top() const { return fsw >> 11 & 7; }
  void set_top(unsigned top) { fsw = static_cast<u16>((fsw & ~0x3800) | (top & 7) << 11); }
};

/// A YMM register; XMM is its low half.
struct alignas(32) VectorRegister {
  std::array<u64, 4> q{};
  template <class T>
  T low() const {
    T value;
    __builtin_memcpy(&value, q.data(), sizeof value);
    return value;
  }
  template <class T>
  void set_low(T value) {
    __builtin_memcpy(q.data(), &value, sizeof value);
  }
  u8* bytes() { return reinterpret_cast<u8*>(q.data()); }
  const u8* bytes() const { return reinterpret_cast<const u8*>(q.data()); }
};

inline constexpr u32 kMxcsrReset = 0x1f80;
inline constexpr u32 kMxcsrMask = 0xffff;

}  // namespace rhea::x86
