// SPDX-License-Identifier: GPL-2.0-or-later
// x87 and vector registers in the XSAVE area of a processor's state.
#pragma once

#include "accel/accelerator.h"
#include "gdbstub/register_list.h"

#include <span>

namespace rhea::gdbstub {

/// Whether a register lies there.
bool is_vector_register(RegisterKind kind);
/// `to` has the register's size; what the state lacks is zero.
void read_vector_register(const x86::CpuState& state, const accel::XsaveOffsets& offsets,
                          const Register& which, std::span<u8> to);
/// False: not with this value.
bool write_vector_register(x86::CpuState& state, const accel::XsaveOffsets& offsets,
                           const Register& which, std::span<const u8> from);

}  // namespace rhea::gdbstub
