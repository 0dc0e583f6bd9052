// SPDX-License-Identifier: GPL-2.0-or-later
// Writes of control registers, with their checks and side effects (SDM vol. 3, 2.5 and 9.8.5).
#pragma once

#include "target/x86/cpu.h"

namespace rhea::x86::system {

/// As MOV to CRn; #GP(0) for what is reserved or inconsistent.
void write_cr0(Cpu& cpu, u64 value);
void write_cr3(Cpu& cpu, u64 value);
void write_cr4(Cpu& cpu, u64 value);
/// As WRMSR; false: #GP.
bool write_efer(Cpu& cpu, u64 value);

/// Bits of CR4 that the model has.
u64 cr4_bits(const CpuModel& model);
/// Bits of XCR0 that the model has.
u64 xcr0_bits(const CpuModel& model);

}  // namespace rhea::x86::system
