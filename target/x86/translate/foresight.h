// SPDX-License-Identifier: GPL-2.0-or-later
// Faults of translated code's accesses, known before the instruction is executed.
#pragma once

#include "target/x86/translate/translator.h"

#include <optional>

namespace rhea::x86::translating {

/// What the instruction, which is called as the record says, would throw: its access faults, and
/// nothing comes before that. Cpu::insn_rip is its own. None: executing it tells.
std::optional<Fault> foreseen_fault(Cpu& cpu, const Insn& insn, Record record);

}  // namespace rhea::x86::translating
