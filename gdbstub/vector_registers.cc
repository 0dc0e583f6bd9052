// SPDX-License-Identifier: GPL-2.0-or-later
// x87 and vector registers in the XSAVE area (SDM vol. 1, chapter 13). A component whose bit in
// XSTATE_BV is clear has its initial values, whatever its bytes are.
#include "gdbstub/vector_registers.h"

#include "target/x86/fpu.h"

#include <algorithm>
#include <cstring>

namespace rhea::gdbstub {
namespace {

using Kind = RegisterKind;

constexpr u32 kComponents = 512;  // XSTATE_BV
constexpr u32 kLeast = 576;       // the legacy region and the header
constexpr u32 kFcw = 0, kFsw = 2, kFtw = 4, kFop = 6, kFip = 8, kFdp = 16, kMxcsrAt = 24, kSt = 32,
              kXmm = 160;
constexpr u16 kInitialFcw = 0x37f;
constexpr unsigned kX87Bit = 0, kSseBit = 1, kAvxBit = 2, kOpmaskBit = 5, kZmmHighBit = 6,
                   kHighZmmBit = 7, kPkruBit = 9;

/// Where a register lies.
struct Place {
  u32 offset{};
  unsigned component{};
};

template <class T>
T load(std::span<const u8> area, std::size_t at) {
  T value{};
  if (at + sizeof value <= area.size()) std::memcpy(&value, &area[at], sizeof value);
  return value;
}
template <class T>
void store(std::span<u8> area, std::size_t at, T value) {
  if (at + sizeof value <= area.size()) std::memcpy(&area[at], &value, sizeof value);
}

bool has_component(const x86::CpuState& state, unsigned component) {
  return (load<u64>(state.xsave, kComponents) >> component & 1) != 0;
}

/// A component's bytes, its own alone.
std::span<u8> bytes_of(x86::CpuState& state, const accel::XsaveOffsets& at, unsigned component) {
  struct Extent {
    u32 offset, size;
  };
  const auto extent = [&]() -> Extent {
    switch (component) {
      case kSseBit: return {kXmm, 256};
      case kAvxBit: return {at.ymm_high, 256};
      case kOpmaskBit: return {at.opmask, 64};
      case kZmmHighBit: return {at.zmm_high, 512};
      case kHighZmmBit: return {at.high_zmm, 1024};
      case kPkruBit: return {at.pkru, 8};
      default: return {kSt, kXmm - kSt};
    }
  }();
  if (u64{extent.offset} + extent.size > state.xsave.size()) return {};
  return std::span(state.xsave).subspan(extent.offset, extent.size);
}

/// Makes the component's bytes count.
void add_component(x86::CpuState& state, const accel::XsaveOffsets& at, unsigned component) {
  if (has_component(state, component)) return;
  std::ranges::fill(bytes_of(state, at, component), u8{0});
  if (component == kX87Bit) {
    std::fill_n(state.xsave.begin(), kMxcsrAt, u8{0});
    store(std::span(state.xsave), kFcw, kInitialFcw);
  }
  store(std::span(state.xsave), kComponents,
        load<u64>(state.xsave, kComponents) | u64{1} << component);
}

Place place_of(const accel::XsaveOffsets& at, const Register& which) {
  const u32 n = which.index;
  switch (which.kind) {
    case Kind::St: return {.offset = kSt + 16 * n, .component = kX87Bit};
    case Kind::Xmm:
      if (n >= 16) return {.offset = at.high_zmm + 64 * (n - 16), .component = kHighZmmBit};
      return {.offset = kXmm + 16 * n, .component = kSseBit};
    case Kind::YmmHigh:
      if (n >= 16) return {.offset = at.high_zmm + 64 * (n - 16) + 16, .component = kHighZmmBit};
      return {.offset = at.ymm_high + 16 * n, .component = kAvxBit};
    case Kind::ZmmHigh:
      if (n >= 16) return {.offset = at.high_zmm + 64 * (n - 16) + 32, .component = kHighZmmBit};
      return {.offset = at.zmm_high + 32 * n, .component = kZmmHighBit};
    case Kind::Opmask: return {.offset = at.opmask + 8 * n, .component = kOpmaskBit};
    case Kind::Pkru: return {.offset = at.pkru, .component = kPkruBit};
    default: return {.offset = kMxcsrAt, .component = kSseBit};
  }
}

// FXSAVE has just one bit a register, and says whether it is empty. Here are two, with the rest
// following from the contents (SDM vol. 1, 8.1.7).
u32 full_tags(const x86::CpuState& state) {
  enum : u32 { Valid, Zero, Special, Empty };
  const u8 used = load<u8>(state.xsave, kFtw);
  const unsigned top = load<u16>(state.xsave, kFsw) >> 11 & 7;
  u32 tags = 0;
  for (unsigned physical = 0; physical < 8; ++physical) {
    const u32 at = kSt + 16 * ((physical - top) & 7);
    const auto significand = load<u64>(state.xsave, at);
    const unsigned exponent = load<u16>(state.xsave, at + 8) & 0x7fff;
    u32 tag = Special;
    if ((used >> physical & 1) == 0)
      tag = Empty;
    else if (exponent == 0 && significand == 0)
      tag = Zero;
    else if (exponent != 0 && exponent != 0x7fff && significand >> 63 != 0)
      tag = Valid;
    tags |= tag << 2 * physical;
  }
  return tags;
}

u8 short_tags(u32 tags) {
  unsigned used = 0;
  for (unsigned physical = 0; physical < 8; ++physical)
    if ((tags >> 2 * physical & 3) != 3) used |= 1U << physical;
  return static_cast<u8>(used);
}

u32 read_x87_control(const x86::CpuState& state, X87Control which) {
  const std::span<const u8> area = state.xsave;
  if (!has_component(state, kX87Bit))
    return which == X87Control::Fctrl ? kInitialFcw : which == X87Control::Ftag ? 0xffff : 0;
  switch (which) {
    case X87Control::Fctrl: return load<u16>(area, kFcw);
    case X87Control::Fstat: return load<u16>(area, kFsw);
    case X87Control::Ftag: return full_tags(state);
    case X87Control::Fiseg: return load<u16>(area, kFip + 4);
    case X87Control::Fioff: return load<u32>(area, kFip);
    case X87Control::Foseg: return load<u16>(area, kFdp + 4);
    case X87Control::Fooff: return load<u32>(area, kFdp);
    case X87Control::Fop: return load<u16>(area, kFop);
  }
  return 0;
}

void write_x87_control(x86::CpuState& state, X87Control which, u32 value) {
  const std::span<u8> area = state.xsave;
  const auto half = static_cast<u16>(value);
  switch (which) {
    case X87Control::Fctrl: return store(area, kFcw, half);
    case X87Control::Fstat: return store(area, kFsw, half);
    case X87Control::Ftag: return store(area, kFtw, short_tags(value));
    case X87Control::Fiseg: return store(area, kFip + 4, half);
    case X87Control::Fioff: return store(area, kFip, value);
    case X87Control::Foseg: return store(area, kFdp + 4, half);
    case X87Control::Fooff: return store(area, kFdp, value);
    case X87Control::Fop: return store(area, kFop, static_cast<u16>(value & 0x7ff));
  }
}

}  // namespace

bool is_vector_register(RegisterKind kind) {
  return kind == Kind::St || kind == Kind::X87 || kind == Kind::Xmm || kind == Kind::Mxcsr ||
         kind == Kind::YmmHigh || kind == Kind::ZmmHigh || kind == Kind::Opmask ||
         kind == Kind::Pkru;
}

void read_vector_register(const x86::CpuState& state, const accel::XsaveOffsets& offsets,
                          const Register& which, std::span<u8> to) {
  std::ranges::fill(to, u8{0});
  if (which.kind == Kind::X87)
    return store(to, 0, read_x87_control(state, static_cast<X87Control>(which.index)));
  const Place place = place_of(offsets, which);
  // MXCSR is there with SSE or AVX, and kept without either.
  if (which.kind != Kind::Mxcsr && !has_component(state, place.component)) return;
  if (place.offset + to.size() <= state.xsave.size())
    std::memcpy(to.data(), &state.xsave[place.offset], to.size());
}

bool write_vector_register(x86::CpuState& state, const accel::XsaveOffsets& offsets,
                           const Register& which, std::span<const u8> from) {
  if (state.xsave.size() < kLeast) return false;
  if (which.kind == Kind::X87) {
    add_component(state, offsets, kX87Bit);
    write_x87_control(state, static_cast<X87Control>(which.index), load<u32>(from, 0));
    return true;
  }
  const Place place = place_of(offsets, which);
  if (place.offset + from.size() > state.xsave.size()) return false;
  if (which.kind == Kind::Mxcsr && (load<u32>(from, 0) & ~x86::kMxcsrMask) != 0) return false;
  add_component(state, offsets, place.component);
  std::memcpy(&state.xsave[place.offset], from.data(), from.size());
  return true;
}

}  // namespace rhea::gdbstub
