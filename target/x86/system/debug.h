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
/// A code breakpoint that the instruction about to begin at `linear` raises: not under RF, nor, on
/// Intel's processors, behind a load of SS (SDM vol. 3, 6.8.3).
u64 due_breakpoint(const Cpu& cpu, u64 linear);

/// Replaces what a debugger wants to stop at. Not while an instruction executes.
void set_debug_stops(Cpu& cpu, const DebugStops& stops);

// Breakpoints of either kind, the guest's and a debugger's. They cost where they are: pages with
// watched data have no TLB entries, so accesses there come to note_access(); blocks of code are
// asked whether a stop lies in them if one may lie on their page.

/// After DR0 to DR3 or DR7 have changed.
void update_stop_pages(Cpu& cpu);
/// Whether the page of code at `linear` may have a code breakpoint.
inline bool stops_near(const Cpu& cpu, u64 linear) {
  return (cpu.stop_pages >> (linear >> 12 & 63) & 1) != 0;
}

inline bool has_stops(const Cpu& cpu) { return breakpoints_enabled(cpu) || cpu.has_debug_stops; }
/// Whether a data breakpoint lies on the page, which must then stay out of the TLB.
bool watches_page(const Cpu& cpu, u64 linear);
/// Whether an instruction that begins at `linear`, or between `first` and `last`, meets one.
bool stops_before(const Cpu& cpu, u64 linear);
bool stops_within(const Cpu& cpu, u64 first, u64 last);
/// Whether a debugger wants to stop before the instruction there.
bool debugger_stops_before(const Cpu& cpu, u64 linear);
void note_access_slowly(Cpu& cpu, u64 linear, unsigned size, bool write);
/// After an access that no TLB entry served. What it meets ends the block behind the instruction:
/// Cpu::pending_db, Cpu::stopped.
inline void note_access(Cpu& cpu, u64 linear, unsigned size, bool write) {
  if (has_stops(cpu)) [[unlikely]]
    note_access_slowly(cpu, linear, size, write);
}
/// The same after an access to a port.
void note_port(Cpu& cpu, u16 port, unsigned size);

}  // namespace rhea::x86
