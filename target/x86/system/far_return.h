// SPDX-License-Identifier: GPL-2.0-or-later
// What RET and IRET check of the code and stack segments they return to.
#pragma once

#include "target/x86/system/descriptor.h"

namespace rhea::x86::system {

/// The code segment to return to; its RPL is the new level.
Descriptor check_return_code(Cpu& cpu, u16 selector);
/// SS to return to at an outer level; null is allowed in 64-bit code above level 3.
SegmentRegister check_return_stack(Cpu& cpu, u16 selector, unsigned level, bool long_code);

}  // namespace rhea::x86::system
