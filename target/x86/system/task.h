// SPDX-License-Identifier: GPL-2.0-or-later
// The hardware task switch (SDM vol. 3, chapter 8).
#pragma once

#include "target/x86/cpu.h"

#include <optional>

namespace rhea::x86::system {

struct TaskSwitch {
  enum How : u8 { Jump, Call, Return, Interrupt };
  How how{};
  u32 external{};              ///< EXT bit of error codes
  std::optional<u32> error{};  ///< pushed on the new task's stack
  bool resume{};               ///< RF is set in the flags that the old task keeps
};

/// Switches to the task whose TSS `selector` names. Faults up to the commit point leave the old
/// task running; later ones are thrown with the new one's registers and Cpu::insn_rip.
void switch_task(Cpu& cpu, u16 selector, const TaskSwitch& request);

}  // namespace rhea::x86::system
