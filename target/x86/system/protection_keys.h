// SPDX-License-Identifier: GPL-2.0-or-later
// The registers of protection keys.
#pragma once

#include "target/x86/cpu.h"

#include <utility>

namespace rhea::x86::system {

/// Two bits a key: no access, no writes. TLB entries made with other rights go.
void set_pkru(Cpu& cpu, u32 value);
void set_pkrs(Cpu& cpu, u32 value);

}  // namespace rhea::x86::system
