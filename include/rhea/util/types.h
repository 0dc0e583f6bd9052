// SPDX-License-Identifier: GPL-2.0-or-later
// The fixed-size integers and the address types everything else is written in.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace rhea {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;
__extension__ using u128 = unsigned __int128;

inline constexpr u64 KiB = u64{1} << 10;
inline constexpr u64 MiB = u64{1} << 20;
inline constexpr u64 GiB = u64{1} << 30;

/// An address that mixes with no other kind of address; `.value` is the way out.
template <class Tag, class Rep>
struct StrongAddress {
  Rep value{};

  constexpr StrongAddress() = default;
  constexpr explicit StrongAddress(Rep v) : value(v) {}
  friend constexpr auto operator<=>(StrongAddress, StrongAddress) = default;
  friend constexpr StrongAddress operator+(StrongAddress a, u64 n) {
    return StrongAddress(static_cast<Rep>(a.value + n));
  }
  friend constexpr StrongAddress operator-(StrongAddress a, u64 n) {
    return StrongAddress(static_cast<Rep>(a.value - n));
  }
  friend constexpr u64 operator-(StrongAddress a, StrongAddress b) {
    return static_cast<u64>(a.value - b.value);
  }
};

/// Guest-physical address, before any IOMMU has seen it where a device holds it.
using GuestPhys = StrongAddress<struct GuestPhysTag, u64>;
/// Guest-virtual (linear) address.
using GuestVirt = StrongAddress<struct GuestVirtTag, u64>;
/// x86 I/O port number.
using IoPort = StrongAddress<struct IoPortTag, u16>;

}  // namespace rhea
