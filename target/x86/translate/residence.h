// SPDX-License-Identifier: GPL-2.0-or-later
// The guest's vector registers with MXCSR, and its x87 state, between Cpu and the host's registers.
// They stay there from the first block that needs them until C++ code is called or translated code
// is left.
#pragma once

#include "target/x86/translate/translator.h"

namespace rhea::x86::translating {

/// Stores in Cpu what is resident; then nothing is, and the host's registers are as C++ code wants
/// them. RAX, RCX and RDX are lost.
void emit_spill_resident(Assembler& a, const StateLayout& state);
/// See Runtime::load.
void emit_load_resident(Assembler& a, const StateLayout& state);

}  // namespace rhea::x86::translating
