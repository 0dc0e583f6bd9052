// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/i386/madt.h"

namespace rhea::hw {

u32 add_madt(TableFile& file, const MadtFacts& facts) {
  constexpr u16 kActiveHighLevel = 0xd;
  const u32 start = file.begin("APIC", 1);
  TableWriter& out = file.out;
  out.dword(0xfee00000).dword(facts.has_pic ? 1 : 0);  // PCAT_COMPAT
  for (unsigned cpu = 0; cpu < facts.max_cpus; ++cpu)
    out.byte(0).byte(8).byte(cpu).byte(facts.topology.apic_id(cpu)).dword(cpu < facts.cpus ? 1 : 0);
  for (unsigned n = 0; n < facts.io_apics; ++n)
    out.byte(1)
        .byte(12)
        .byte(n)
        .byte(0)
        .dword(kIoApicAt + n * kIoApicApart)
        .dword(n * kIoApicInputs);
  const auto override = [&](u8 irq, u32 gsi, u16 flags) {
    out.byte(2).byte(10).byte(0).byte(irq).dword(gsi).word(flags);
  };
  override(0, 2, 0);
  for (const u8 irq : facts.level_irqs) override(irq, irq, kActiveHighLevel);
  out.byte(4).byte(6).byte(0xff).word(0).byte(1);  // NMI on LINT1 of every CPU
  file.end(start);
  return start;
}

}  // namespace rhea::hw
