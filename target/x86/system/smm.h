// SPDX-License-Identifier: GPL-2.0-or-later
// System management mode (AMD APM vol. 2, chapter 10; SDM vol. 3, chapter 30).
#pragma once

#include "target/x86/cpu.h"

namespace rhea::x86 {

/// Takes an SMI: saves the state to SMRAM and starts at SMBASE + 8000h. Not to be called in SMM.
void enter_smm(Cpu& cpu);

namespace system {

/// State-save areas, by layout: AMD64's for processors with long mode, the P6 family's for others.
void save_smm_state_64(Cpu& cpu, bool halted);
void save_smm_state_32(Cpu& cpu, bool halted);
/// False: what is there is no valid state.
bool load_smm_state_64(Cpu& cpu);
bool load_smm_state_32(Cpu& cpu);

}  // namespace system
}  // namespace rhea::x86
