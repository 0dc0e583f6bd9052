// SPDX-License-Identifier: GPL-2.0-or-later
// ModRM and SIB by table: how long they are and what they make of an instruction, looked up
// without a branch.
#pragma once

#include "rhea/util/types.h"

#include <array>

namespace rhea::x86::decoding {

/// The lowest so many bytes of a number, sign-extended or not. No shifts: a variable number of bits
/// takes the host three steps.
template <class T>
struct Extension {
  T mask{};  ///< what to keep
  T sign{};  ///< its highest bit, if that is a sign
  constexpr T operator()(T number) const { return ((number & mask) ^ sign) - sign; }
};
template <class T>
constexpr Extension<T> extension_of(unsigned bytes, bool is_signed) {
  if (bytes == 0) return {};
  const T highest = T{1} << (8 * bytes - 1);
  return {.mask = highest | (highest - 1), .sign = is_signed ? highest : T{0}};
}

/// What one ModRM byte, or one SIB byte, says.
struct Address {
  u32 fields{};    ///< what packed_address() is xor-ed with
  u32 with_rex{};  ///< likewise, as far as REX.X and REX.B mask it: kIndexFields, kBaseFields
  Extension<u32> disp;
  u8 length{};  ///< of ModRM, SIB and displacement
  u8 disp_size{};
};

/// The first is for instructions without ModRM; then by ModRM; then by SIB with mod = 0, 1 and 2.
using AddressTable = std::array<Address, 1 + 4 * 256>;

/// Insn::base, index, scale and seg, which lie side by side.
constexpr u32 packed_address(u8 base, u8 index, u8 scale, u8 seg) {
  return base | static_cast<u32>(index) << 8 | static_cast<u32>(scale) << 16 |
         static_cast<u32>(seg) << 24;
}

inline constexpr u32 kBaseFields = packed_address(0xff, 0, 0, 0xff);
inline constexpr u32 kIndexFields = packed_address(0, 0xff, 0xff, 0);

/// Where a ModRM byte's entries begin in an AddressTable, and whether SIB chooses one. With 16-bit
/// addresses there is no SIB byte, and the table says so.
struct AddressPlace {
  u16 first{};
  u8 sib_mask{};
};
constexpr AddressPlace address_place(unsigned modrm) {
  if (modrm < 0xc0 && (modrm & 7) == 4)
    return {.first = static_cast<u16>(1 + ((modrm >> 6) + 1) * 256), .sib_mask = 0xff};
  return {.first = static_cast<u16>(1 + modrm), .sib_mask = 0};
}

/// `address_size`: 2, 4 or 8.
AddressTable make_address_table(u8 address_size, bool long_mode);

}  // namespace rhea::x86::decoding
