// SPDX-License-Identifier: GPL-2.0-or-later
// ModRM and SIB: the memory operand.
#pragma once

#include "target/x86/decode/prefix.h"
#include "target/x86/insn.h"

namespace rhea::x86::decoding {

/// Fills in base, index, scale, disp and seg for a ModRM byte with mod < 3. insn.address_size must
/// be there. `vsib`: the index is a vector register, and there must be a SIB byte; false if not.
bool take_memory(Cursor& cursor, const Prefixes& prefixes, bool long_mode, bool vsib, Insn& insn);

}  // namespace rhea::x86::decoding
