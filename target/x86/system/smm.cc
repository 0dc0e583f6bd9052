// SPDX-License-Identifier: GPL-2.0-or-later
// The way into system management mode and, by RSM, out of it.
#include "target/x86/system/smm.h"

#include "target/x86/system/functions.h"
#include "target/x86/system/log.h"

namespace rhea::x86 {
namespace {

SegmentRegister smm_segment(u16 selector, u64 base) {
  SegmentRegister made;
  made.selector = selector;
  made.base = base;
  made.limit = 0xffff'ffff;
  made.attributes = 0x8093;
  made.refresh();
  return made;
}

}  // namespace

void enter_smm(Cpu& cpu) {
  log_management_mode(cpu, true);
  const bool halted = cpu.activity == Activity::Halted;
  cpu.smm = true;
  // From here on the bus shows SMRAM.
  cpu.flush_tlb();
  if (cpu.has(Feature::Lm))
    system::save_smm_state_64(cpu, halted);
  else
    system::save_smm_state_32(cpu, halted);
  cpu.in_nmi_before_smm = cpu.nmi_blocked;
  cpu.nmi_blocked = true;
  cpu.activity = Activity::Running;
  cpu.shadow = cpu.shadow_next = false;
  cpu.pending_db = 0;

  cpu.efer = 0;
  cpu.cr0 &= ~(cr0::kPe | cr0::kEm | cr0::kTs | cr0::kPg);
  cpu.cr4 = 0;
  cpu.dr7 = 0x400;
  for (SegmentRegister& s : cpu.seg) s = smm_segment(0, 0);
  cpu.seg[Cs] = smm_segment(static_cast<u16>(cpu.smbase >> 4), cpu.smbase);
  cpu.set_rflags(eflags::kFixed);
  cpu.set_rip(0x8000);
  cpu.insn_rip = 0x8000;
  cpu.set_cpl(0);
}

namespace system {

void rsm(Cpu& cpu, const Insn&) {
  if (!cpu.smm) raise(Vector::Ud);
  const bool valid = cpu.has(Feature::Lm) ? load_smm_state_64(cpu) : load_smm_state_32(cpu);
  if (!valid) {
    cpu.activity = Activity::Shutdown;
    cpu.leave_block = true;
    return;
  }
  cpu.smm = false;
  cpu.nmi_blocked = cpu.in_nmi_before_smm;
  cpu.in_nmi_before_smm = false;
  cpu.flush_tlb();
  log_management_mode(cpu, false);
}

}  // namespace system
}  // namespace rhea::x86
