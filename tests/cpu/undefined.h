// SPDX-License-Identifier: GPL-2.0-or-later
// What an instruction leaves undefined, so that only some hosts are compared in it.
#pragma once

#include "target/x86/insn.h"
#include "target/x86/isa/row.h"
#include "tests/cpu/native_run.h"

namespace rhea::x86 {

/// One instruction, done by a host that is AMD's or not.
struct UndefinedCase {
  const isa::Row& row;
  const Insn& insn;
  const NativeState& before;
  bool amd{};
};

/// Status flags behind it, as EFLAGS bits.
u32 undefined_flags(const UndefinedCase& which);
/// Which fault it is, where there is one.
bool leaves_fault_undefined(const UndefinedCase& which);
/// Behind a fault, whatever the rest of the state.
bool leaves_memory_undefined(const UndefinedCase& which, const NativeFault& fault);

}  // namespace rhea::x86
