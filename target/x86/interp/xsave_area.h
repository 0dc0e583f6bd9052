// SPDX-License-Identifier: GPL-2.0-or-later
// x87, SSE and AVX state in the XSAVE area (SDM vol. 1, 13.4; offsets as CPUID leaf 0DH has them).
#pragma once

#include "target/x86/interp/x87.h"

#include <type_traits>

namespace rhea::x86::interp {

/// State components, bits of XCR0.
namespace xstate {
inline constexpr u64 kX87 = 1 << 0, kSse = 1 << 1, kAvx = 1 << 2, kPkru = 1 << 9;
inline constexpr u64 kAll = kX87 | kSse | kAvx | kPkru;
inline constexpr u64 kCompacted = u64{1} << 63;  ///< in XCOMP_BV
}  // namespace xstate

struct alignas(64) XsaveArea {
  FxsaveImage legacy;
  u64 xstate_bv{}, xcomp_bv{};
  std::array<u8, 48> reserved{};
  std::array<std::array<u8, 16>, 16> ymm_high{};
};
inline constexpr unsigned kXsaveHeader = 512, kXsaveAvx = 576, kXsavePkru = 832;
static_assert(sizeof(XsaveArea) == kXsavePkru);
// The guest sees all of it: with padding it would see what the host's stack held there.
static_assert(std::has_unique_object_representations_v<XsaveArea>);

/// The layout of the x87 pointers: 64-bit offsets (REX.W), or 32-bit ones with selectors.
enum class PointerFormat : u8 { Selectors, Wide };

/// Components that are not in their initial configuration.
u64 xstate_in_use(const Cpu& cpu);

void save_x87(const X87& x87, PointerFormat format, FxsaveImage& image);
void load_x87(X87& x87, PointerFormat format, const FxsaveImage& image);
void reset_x87(X87& x87);
void save_xmm(const Cpu& cpu, unsigned registers, FxsaveImage& image);
void load_xmm(Cpu& cpu, unsigned registers, const FxsaveImage& image);
void save_ymm_high(const Cpu& cpu, unsigned registers, XsaveArea& area);
void load_ymm_high(Cpu& cpu, unsigned registers, const XsaveArea& area);

}  // namespace rhea::x86::interp
