// SPDX-License-Identifier: GPL-2.0-or-later
// The decoder: bytes to Insn, by the rows of the instruction table.
#pragma once

#include "target/x86/features.h"
#include "target/x86/insn.h"

#include <span>

namespace rhea::x86 {

inline constexpr unsigned kLongestInsn = 15;

struct DecodeMode {
  u8 code_bits{64};              ///< 16, 32 or 64
  bool real_or_v86{false};       ///< protected-mode-only instructions are #UD
  const FeatureSet* features{};  ///< what is off is #UD; nullptr: everything is on
  /// AMD's processors let 66 make near branches 16 bits wide in 64-bit mode, Intel's ignore it.
  bool amd{true};
};

enum class DecodeStatus : u8 {
  Ok,
  NeedMore,  ///< the bytes end within the instruction
  Invalid,   ///< #UD; Insn::length says how many bytes had been looked at
  TooLong,   ///< more than 15 bytes: #GP(0)
};

/// Decodes the instruction at the start of `bytes`. Insn::exec is left empty (interp::bind). Any
/// number of bytes will do, but with 48 or more it is faster.
DecodeStatus decode(std::span<const u8> bytes, const DecodeMode& mode, Insn& insn);

}  // namespace rhea::x86
