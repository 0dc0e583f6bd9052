// SPDX-License-Identifier: GPL-2.0-or-later
// Protection keys (SDM vol. 3, 4.6.2): RDPKRU, WRPKRU and IA32_PKRS.
#include "target/x86/system/protection_keys.h"

#include "target/x86/system/functions.h"

namespace rhea::x86::system {
namespace {

void check(const Cpu& cpu) {
  if ((cpu.cr4 & cr4::kPke) == 0) raise(Vector::Ud);
  if (cpu.reg<u32>(Rcx) != 0) raise(Vector::Gp, 0);
}

}  // namespace

void set_pkru(Cpu& cpu, u32 value) {
  if (std::exchange(cpu.pkru, value) != value && (cpu.cr4 & cr4::kPke) != 0) cpu.flush_tlb_data();
}

void set_pkrs(Cpu& cpu, u32 value) {
  if (std::exchange(cpu.pkrs, value) != value && (cpu.cr4 & cr4::kPks) != 0) cpu.flush_tlb_data();
}

void rdpkru(Cpu& cpu, const Insn&) {
  check(cpu);
  cpu.set_reg<u32>(Rax, cpu.pkru);
  cpu.set_reg<u32>(Rdx, 0);
}

void wrpkru(Cpu& cpu, const Insn&) {
  check(cpu);
  if (cpu.reg<u32>(Rdx) != 0) raise(Vector::Gp, 0);
  set_pkru(cpu, cpu.reg<u32>(Rax));
}

}  // namespace rhea::x86::system
