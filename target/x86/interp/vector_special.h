// SPDX-License-Identifier: GPL-2.0-or-later
// Vector instructions that are more than the host's own on registers: moves that are worth a short
// way, and those that touch memory element by element.
#pragma once

#include "target/x86/interp/bind.h"

namespace rhea::x86::interp {

/// nullptr: not one of them. Fills in Insn::native for moves.
Execute bind_special_vector(Insn& insn);
/// Whole registers between registers and memory.
Execute bind_vector_move(Insn& insn);
/// MASKMOV and gathers.
Execute bind_element_move(const Insn& insn);

}  // namespace rhea::x86::interp
