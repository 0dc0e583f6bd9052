// SPDX-License-Identifier: GPL-2.0-or-later
// The XSAVE area of CpuState.
#pragma once

#include "target/x86/cpu.h"

namespace rhea::x86::system {

/// Standard format: the legacy region, the header and, with AVX, the upper halves of YMM.
std::vector<u8> save_xsave_area(const Cpu& cpu);
/// Components that XSTATE_BV does not name get their initial values; an area that is too short for
/// what it names leaves those alone.
void load_xsave_area(Cpu& cpu, const std::vector<u8>& area);

}  // namespace rhea::x86::system
