// SPDX-License-Identifier: GPL-2.0-or-later
// Debug registers: breakpoints on code, data and ports (SDM vol. 3, chapter 17).
#pragma once

#include "target/x86/cpu.h"

namespace rhea::x86 {

/// Whether any of the four breakpoints is on.
inline bool breakpoints_enabled(const Cpu& cpu) {
  constexpr u64 local_and_global = 0xff;
  return (cpu.dr7 & local_and_global) != 0;
}
/// DR6 bits of the breakpoints that an access or an instruction's address meets; 0: none. A bit is
/// set for disabled breakpoints too once an enabled one matches.
u64 match_data(const Cpu& cpu, u64 linear, unsigned size, bool write);
u64 match_code(const Cpu& cpu, u64 linear);
u64 match_io(const Cpu& cpu, u16 port, unsigned size);
/// Whether a data breakpoint lies on the page, which must then stay out of the TLB.
bool watches_page(const Cpu& cpu, u64 linear);

}  // namespace rhea::x86
