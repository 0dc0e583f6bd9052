// SPDX-License-Identifier: GPL-2.0-or-later
// A debugger writes a segment register.
#pragma once

#include "target/x86/cpu_state.h"

#include <functional>
#include <span>

namespace rhea::gdbstub {

/// Reads at a linear address; false: not all of it is mapped.
using ReadLinear = std::function<bool(u64 address, std::span<u8> to)>;

/// Loads it with its hidden part as the processor would. False: the descriptor is none for this
/// register, or would change the privilege level.
bool load_segment(x86::CpuState& state, x86::Seg which, u16 selector, const ReadLinear& memory);

}  // namespace rhea::gdbstub
