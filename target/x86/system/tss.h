// SPDX-License-Identifier: GPL-2.0-or-later
// The current task state segment: inner stacks and the I/O permission map (SDM vol. 3, 8.2 and
// 8.7; vol. 1, 20.5.2).
#pragma once

#include "target/x86/cpu.h"

namespace rhea::x86::system {

struct InnerStack {
  u16 ss{};
  u64 sp{};
};
/// SS and ESP for a level of 0 to 2; #TS with TR's selector where the TSS is too short.
InnerStack inner_stack(Cpu& cpu, unsigned level, u32 external = 0);
/// RSP for a level, and of the interrupt stack table (1 to 7), in long mode.
u64 inner_rsp(Cpu& cpu, unsigned level, u32 external = 0);
u64 interrupt_stack(Cpu& cpu, unsigned number, u32 external = 0);

/// Whether all of `size` ports are open to the task; false also where there is no map.
bool io_permitted(Cpu& cpu, u16 port, unsigned size);
/// Whether the interrupt redirection map in front of the I/O map sends INT n to the 8086 program
/// (VME); #GP beyond the TSS.
bool redirects_to_8086(Cpu& cpu, u8 vector);

}  // namespace rhea::x86::system
