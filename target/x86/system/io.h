// SPDX-License-Identifier: GPL-2.0-or-later
// Port accesses as instructions make them.
#pragma once

#include "target/x86/cpu.h"

namespace rhea::x86 {

/// #GP(0) unless IOPL or the TSS's I/O permission map allows the access (SDM vol. 1, 20.5).
void check_io(Cpu& cpu, u16 port, unsigned size);
/// The access itself, with I/O breakpoints; the permission has been checked.
u64 read_port(Cpu& cpu, u16 port, unsigned size);
void write_port(Cpu& cpu, u16 port, u64 value, unsigned size);

}  // namespace rhea::x86
