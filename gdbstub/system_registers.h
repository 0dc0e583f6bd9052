// SPDX-License-Identifier: GPL-2.0-or-later
// Instruction pointer, flags, segment bases and control registers.
#pragma once

#include "gdbstub/register_list.h"

namespace rhea::gdbstub {

u64 read_system_register(const x86::CpuState& state, const Register& which);
/// False: no processor has this value.
bool write_system_register(x86::CpuState& state, const Register& which, u64 value);
/// After writes: sets what follows from other registers. False: they do not go together.
bool make_consistent(x86::CpuState& state);

}  // namespace rhea::gdbstub
