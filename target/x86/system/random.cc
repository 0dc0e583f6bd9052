// SPDX-License-Identifier: GPL-2.0-or-later
// RDRAND and RDSEED, from the host's entropy.
#include "target/x86/system/checks.h"
#include "target/x86/system/functions.h"

#include <sys/random.h>

namespace rhea::x86::system {

/// CF says whether there was a number; without one the register is zero.
void rdrand(Cpu& cpu, const Insn& insn) {
  u64 value = 0;
  const bool done = getrandom(&value, sizeof value, GRND_NONBLOCK) == sizeof value;
  set_reg_sized(cpu, insn.op[0].reg, done ? value : 0, insn.operand_size);
  cpu.flags.set_value(done ? eflags::kCf : 0);
}

}  // namespace rhea::x86::system
