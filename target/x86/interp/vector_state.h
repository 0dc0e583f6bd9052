// SPDX-License-Identifier: GPL-2.0-or-later
// Instructions on the vector unit's state: MXCSR, EMMS, VZEROUPPER and VZEROALL.
#pragma once

#include "target/x86/interp/bind.h"
#include "target/x86/interp/vector_operand.h"

namespace rhea::x86::interp {

template <Gate kGate>
void ldmxcsr(Cpu& cpu, const Insn& insn) {
  check_gate(cpu, kGate);
  const u32 value = cpu.read<u32>(insn.seg, cpu.effective_address(insn));
  if ((value & ~kMxcsrMask) != 0) raise(Vector::Gp, 0);
  cpu.mxcsr = value;
}

template <Gate kGate>
void stmxcsr(Cpu& cpu, const Insn& insn) {
  check_gate(cpu, kGate);
  cpu.write<u32>(insn.seg, cpu.effective_address(insn), cpu.mxcsr);
}

inline void emms(Cpu& cpu, const Insn&) {
  check_mmx(cpu);
  enter_mmx(cpu);
  cpu.x87.valid = 0;
}

/// VEX.L tells the two apart; outside 64-bit mode YMM8 to YMM15 stay.
template <bool kAll>
void vector_zero(Cpu& cpu, const Insn&) {
  check_avx(cpu);
  const unsigned registers = cpu.long_mode() ? 16 : 8;
  for (unsigned n = 0; n < registers; ++n) {
    auto& q = cpu.ymm[n].q;
    q[2] = q[3] = 0;
    if constexpr (kAll) q[0] = q[1] = 0;
  }
}

inline Execute bind_vector_zero(const Insn& insn) {
  return insn.has(kVexL) ? &vector_zero<true> : &vector_zero<false>;
}

}  // namespace rhea::x86::interp
