// SPDX-License-Identifier: GPL-2.0-or-later
// Power-up and INIT (SDM vol. 3, table 10-1).
#include "target/x86/system/debug.h"
#include "target/x86/system/msr.h"

namespace rhea::x86 {
namespace {

constexpr u16 kData = 0x93, kLdt = 0x82, kTss = 0x8b;

SegmentRegister initial(u16 selector, u64 base, u16 attributes) {
  SegmentRegister made;
  made.selector = selector;
  made.base = base;
  made.limit = 0xffff;
  made.attributes = attributes;
  made.refresh();
  return made;
}

void reset_segments(Cpu& cpu) {
  for (SegmentRegister& s : cpu.seg) s = initial(0, 0, kData);
  cpu.seg[Cs] = initial(0xf000, 0xffff'0000, kData);
  cpu.ldtr = initial(0, 0, kLdt);
  cpu.tr = initial(0, 0, kTss);
  cpu.gdtr = cpu.idtr = {.base = 0, .limit = 0xffff};
}

/// What INIT leaves alone.
void reset_power_up(Cpu& cpu) {
  cpu.x87 = {};
  cpu.x87.fcw = 0x0040;
  cpu.x87.valid = 0xff;
  cpu.mxcsr = kMxcsrReset;
  cpu.ymm = {};
  cpu.xcr0 = 1;
  cpu.pkru = cpu.pkrs = 0;
  cpu.smbase = 0x3'0000;
  cpu.tsc_offset = cpu.tsc_aux = 0;
  cpu.star = cpu.lstar = cpu.cstar = cpu.sfmask = cpu.kernel_gs_base = 0;
  cpu.sysenter_cs = cpu.sysenter_esp = cpu.sysenter_eip = 0;
  cpu.misc_enable = 1;  // fast strings
  system::reset_msrs(cpu);
}

void reset_registers(Cpu& cpu, bool init) {
  cpu.gpr = {};
  cpu.gpr[Rdx] = cpu.model->signature();
  cpu.set_rip(0xfff0);
  cpu.insn_rip = cpu.rip();
  cpu.cr0 = cr0::kEt | (init ? cpu.cr0 & (cr0::kCd | cr0::kNw) : cr0::kCd | cr0::kNw);
  cpu.cr2 = cpu.cr3 = cpu.cr4 = cpu.efer = 0;
  cpu.pdpte = {};
  cpu.dr = {};
  cpu.dr6 = dr6::kReset;
  cpu.dr7 = 0x400;
  update_stop_pages(cpu);
  reset_segments(cpu);
  if (!init) reset_power_up(cpu);

  cpu.smm = cpu.nmi_blocked = cpu.in_nmi_before_smm = false;
  cpu.shadow = cpu.shadow_next = cpu.traps_held = false;
  cpu.pending_db = 0;
  cpu.nmis = 0;
  cpu.injected = {};
  cpu.stopped.reset();
  cpu.cpl = 0;
  cpu.set_rflags(eflags::kFixed);
  cpu.update_mode();
  cpu.flush_tlb();
}

}  // namespace

Cpu::Cpu(Bus& wiring, const CpuModel& of) : bus(&wiring), model(&of) {
  reset_registers(*this, false);
}

void Cpu::reset(bool init) {
  reset_registers(*this, init);
  u64 base = apic_base::kBsp;
  bus->read_msr(msr::kApicBase, base);
  activity = (base & apic_base::kBsp) != 0 ? Activity::Running : Activity::WaitForSipi;
}

void Cpu::start_up(u8 vector) {
  if (activity != Activity::WaitForSipi) return;
  seg[Cs].selector = static_cast<u16>(vector << 8);
  seg[Cs].base = u64{vector} << 12;
  set_rip(0);
  insn_rip = 0;
  activity = Activity::Running;
  update_mode();
}

}  // namespace rhea::x86
