// SPDX-License-Identifier: GPL-2.0-or-later
// SWAPGS and the FSGSBASE instructions.
#include "target/x86/system/checks.h"
#include "target/x86/system/functions.h"

#include <utility>

namespace rhea::x86::system {
namespace {

void require_fsgsbase(const Cpu& cpu) {
  if (!cpu.long_mode() || (cpu.cr4 & cr4::kFsgsbase) == 0) raise(Vector::Ud);
}

void read_base(Cpu& cpu, const Insn& insn, unsigned segment) {
  require_fsgsbase(cpu);
  set_reg_sized(cpu, insn.op[0].reg, cpu.seg[segment].base, insn.operand_size);
}

void write_base(Cpu& cpu, const Insn& insn, unsigned segment) {
  require_fsgsbase(cpu);
  const u64 value = cpu.gpr[insn.op[0].reg] & Cpu::size_mask(insn.operand_size);
  if (!cpu.canonical(value)) raise(Vector::Gp, 0);
  cpu.seg[segment].base = value;
}

}  // namespace

void swapgs(Cpu& cpu, const Insn&) {
  if (!cpu.long_mode()) raise(Vector::Ud);
  require_cpl0(cpu);
  std::swap(cpu.seg[Gs].base, cpu.kernel_gs_base);
}

void rdfsbase(Cpu& cpu, const Insn& insn) { read_base(cpu, insn, Fs); }
void rdgsbase(Cpu& cpu, const Insn& insn) { read_base(cpu, insn, Gs); }
void wrfsbase(Cpu& cpu, const Insn& insn) { write_base(cpu, insn, Fs); }
void wrgsbase(Cpu& cpu, const Insn& insn) { write_base(cpu, insn, Gs); }

}  // namespace rhea::x86::system
