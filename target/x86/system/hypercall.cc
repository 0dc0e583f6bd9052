// SPDX-License-Identifier: GPL-2.0-or-later
// VMCALL and VMMCALL, as KVM answers them (Linux, Documentation/virt/kvm/x86/hypercalls.rst).
#include "target/x86/system/hypercall.h"

#include "target/x86/cpu.h"
#include "target/x86/system/functions.h"

namespace rhea::x86 {

u64 Bus::hypercall(u64, const std::array<u64, 4>&) { return hypercall_result::kNoSuchCall; }

namespace system {

// KVM takes either instruction on either vendor's processors. It writes the right one over the
// other; nothing is written here.
void hypercall(Cpu& cpu, const Insn&) {
  if (!cpu.model->kvm) raise(Vector::Ud);
  const unsigned size = cpu.long_mode() ? 8 : 4;
  const auto value = [&](unsigned reg) { return cpu.gpr[reg] & Cpu::size_mask(size); };
  const u64 result =
      cpu.cpl != 0
          ? hypercall_result::kNotPermitted
          : cpu.bus->hypercall(value(Rax), {value(Rbx), value(Rcx), value(Rdx), value(Rsi)});
  cpu.gpr[Rax] = result & Cpu::size_mask(size);
}

}  // namespace system
}  // namespace rhea::x86
