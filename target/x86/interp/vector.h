// SPDX-License-Identifier: GPL-2.0-or-later
// Vector instructions (MMX, SSE, AVX): executed by the host's own.
#pragma once

#include "target/x86/cpu.h"

namespace rhea::x86::interp {

/// The function for an instruction whose row has the NativeVector attribute, whatever its mnemonic;
/// fills in Insn::native. Thread-safe.
Execute bind_vector(Insn& insn);

}  // namespace rhea::x86::interp
