// SPDX-License-Identifier: GPL-2.0-or-later
// Operands of an instruction, by the letters of its row.
#pragma once

#include "target/x86/decode/forms.h"
#include "target/x86/decode/prefix.h"

namespace rhea::x86::decoding {

/// Fills in insn.op and takes the immediates. All of Insn that comes before them must be there.
/// False: #UD.
bool take_operands(Cursor& cursor, const Prefixes& prefixes, const Form& form, bool long_mode,
                   Insn& insn);

}  // namespace rhea::x86::decoding
