// SPDX-License-Identifier: GPL-2.0-or-later
// The host's processor as the judge: executes an instruction's own bytes on a full register file.
#pragma once

#include "target/x86/fpu.h"
#include "target/x86/interp/native_code.h"

#include <array>
#include <span>

namespace rhea::x86 {

struct HostState {
  std::array<VectorRegister, 16> ymm;
  std::array<u64, 16> gpr{};  ///< RSP is not used
  std::array<u64, 8> mmx{};
  u64 flags{2};
  u32 mxcsr{kMxcsrReset};
};

/// Runs 64-bit vector instructions. Memory operands are the host's.
class HostOracle {
 public:
  /// False: the instruction raised a SIMD exception (SIGFPE); then only `mxcsr` has changed.
  bool run(std::span<const u8> instruction, bool uses_mmx, HostState& state);

 private:
  interp::NativeCode code_{64 << 20};
};

}  // namespace rhea::x86
