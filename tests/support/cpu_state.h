// SPDX-License-Identifier: GPL-2.0-or-later
// Looking at a processor's state.
#pragma once

#include "target/x86/cpu_state.h"

#include <algorithm>

namespace rhea::test {

inline std::vector<u8> bytes_of(const x86::CpuState& state) {
  StateWriter out;
  StateCodec<x86::CpuState>::save(state, out);
  return out.take();
}

/// All ones when the state has no such register.
inline u64 msr_of(const x86::CpuState& state, u32 index) {
  const auto it = std::ranges::find(state.msrs, index, &x86::Msr::index);
  return it == state.msrs.end() ? ~u64{0} : it->value;
}

}  // namespace rhea::test
