// SPDX-License-Identifier: GPL-2.0-or-later
// Host code for one form of a vector instruction.
#pragma once

#include "target/x86/interp/native_form.h"
#include "target/x86/isa/row.h"

#include <vector>

namespace rhea::x86::interp {

/// The body of a Thunk: loads the registers at `form`'s places, the instruction, stores.
std::vector<u8> native_thunk(const NativeForm& form, const Insn& insn, const isa::Row& row);

/// Whether REX.W or VEX.W goes into the host's instruction: outside 64-bit mode VEX.W is ignored
/// where it would be a general register's size.
bool native_wide(const Insn& insn, const isa::Row& row);
/// Whether it goes there with an operand size of 8 bytes; otherwise, as it was.
bool wide_by_operand_size(const isa::Row& row);

}  // namespace rhea::x86::interp
