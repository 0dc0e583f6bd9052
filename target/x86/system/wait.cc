// SPDX-License-Identifier: GPL-2.0-or-later
// HLT, MONITOR, MWAIT and PAUSE; instructions that are always undefined.
#include "target/x86/system/checks.h"
#include "target/x86/system/functions.h"

namespace rhea::x86::system {

void hlt(Cpu& cpu, const Insn&) {
  require_cpl0(cpu);
  cpu.activity = Activity::Halted;
  cpu.leave_block = true;
}

/// Nothing watches the line, so MWAIT below may not wait for a store to it. The line is read, for
/// the faults of that.
void monitor(Cpu& cpu, const Insn& insn) {
  if (cpu.cpl != 0) raise(Vector::Ud);
  if (cpu.reg<u32>(Rcx) != 0) raise(Vector::Gp, 0);
  const unsigned segment = insn.seg == kNoSegment ? unsigned{Ds} : insn.seg;
  const unsigned size = insn.address_size != 0 ? insn.address_size : cpu.code_bits / 8;
  (void)cpu.read<u8>(segment, cpu.gpr[Rax] & Cpu::size_mask(size));
}

/// Wakes at once, as it may for any reason (SDM vol. 2, MWAIT).
void mwait(Cpu& cpu, const Insn&) {
  if (cpu.cpl != 0) raise(Vector::Ud);
  if (cpu.reg<u32>(Rcx) > 1) raise(Vector::Gp, 0);
  cpu.leave_block = true;
}

void pause(Cpu& cpu, const Insn&) {
  constexpr unsigned kPausesPerRest = 32;
  if (++cpu.pauses % kPausesPerRest == 0) cpu.bus->relax();
}

void undefined(Cpu&, const Insn&) { raise(Vector::Ud); }

}  // namespace rhea::x86::system
