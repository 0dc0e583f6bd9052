// SPDX-License-Identifier: GPL-2.0-or-later
// CPUID, and the counters and ids that programs may read.
#include "target/x86/system/checks.h"
#include "target/x86/system/functions.h"
#include "target/x86/system/msr.h"

namespace rhea::x86::system {
namespace {

void set_edx_eax(Cpu& cpu, u64 value) {
  cpu.set_reg<u32>(Rax, static_cast<u32>(value));
  cpu.set_reg<u32>(Rdx, static_cast<u32>(value >> 32));
}

void check_tsd(const Cpu& cpu) {
  if ((cpu.cr4 & cr4::kTsd) != 0 && cpu.cpl != 0) raise(Vector::Gp, 0);
}

}  // namespace

void cpuid_insn(Cpu& cpu, const Insn&) {
  u64 base = apic_base::kEnable;
  cpu.bus->read_msr(msr::kApicBase, base);
  const CpuidInputs inputs{
      .cr4 = cpu.cr4, .xcr0 = cpu.xcr0, .apic_enabled = (base & apic_base::kEnable) != 0};
  const CpuidResult r = cpuid(*cpu.model, cpu.reg<u32>(Rax), cpu.reg<u32>(Rcx), inputs);
  cpu.set_reg<u32>(Rax, r.eax);
  cpu.set_reg<u32>(Rbx, r.ebx);
  cpu.set_reg<u32>(Rcx, r.ecx);
  cpu.set_reg<u32>(Rdx, r.edx);
}

void rdtsc(Cpu& cpu, const Insn&) {
  check_tsd(cpu);
  set_edx_eax(cpu, cpu.bus->tsc() + cpu.tsc_offset);
}

void rdtscp(Cpu& cpu, const Insn&) {
  check_tsd(cpu);
  set_edx_eax(cpu, cpu.bus->tsc() + cpu.tsc_offset);
  cpu.set_reg<u32>(Rcx, static_cast<u32>(cpu.tsc_aux));
}

/// There are no performance counters, so no index is valid.
void rdpmc(Cpu&, const Insn&) { raise(Vector::Gp, 0); }

void rdpid(Cpu& cpu, const Insn& insn) {
  set_reg_sized(cpu, insn.op[0].reg, cpu.tsc_aux, cpu.long_mode() ? 8 : 4);
}

}  // namespace rhea::x86::system
