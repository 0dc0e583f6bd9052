// SPDX-License-Identifier: GPL-2.0-or-later
// GDTR, IDTR, LDTR and TR: their loads and stores.
#include "target/x86/system/checks.h"
#include "target/x86/system/functions.h"
#include "target/x86/system/segments.h"

namespace rhea::x86::system {
namespace {

void store_table(Cpu& cpu, const Insn& insn, const DescriptorTable& table) {
  check_umip(cpu);
  const u64 at = cpu.effective_address(insn);
  const u64 base_at = (at + 2) & Cpu::size_mask(insn.address_size);
  const unsigned size = cpu.long_mode() ? 8 : 4;
  cpu.probe_write(insn.seg, base_at, size);
  cpu.write<u16>(insn.seg, at, table.limit);
  if (size == 8)
    cpu.write<u64>(insn.seg, base_at, table.base);
  else
    cpu.write<u32>(insn.seg, base_at, static_cast<u32>(table.base));
}

DescriptorTable load_table(Cpu& cpu, const Insn& insn) {
  require_cpl0(cpu);
  const u64 at = cpu.effective_address(insn);
  const u64 base_at = (at + 2) & Cpu::size_mask(insn.address_size);
  DescriptorTable table{.base = 0, .limit = cpu.read<u16>(insn.seg, at)};
  if (cpu.long_mode()) {
    table.base = cpu.read<u64>(insn.seg, base_at);
    if (!cpu.canonical(table.base)) raise(Vector::Gp, 0);
  } else {
    table.base = cpu.read<u32>(insn.seg, base_at);
    if (insn.operand_size == 2) table.base &= 0xff'ffff;
  }
  return table;
}

}  // namespace

void sgdt(Cpu& cpu, const Insn& insn) { store_table(cpu, insn, cpu.gdtr); }
void sidt(Cpu& cpu, const Insn& insn) { store_table(cpu, insn, cpu.idtr); }
void lgdt(Cpu& cpu, const Insn& insn) { cpu.gdtr = load_table(cpu, insn); }
void lidt(Cpu& cpu, const Insn& insn) { cpu.idtr = load_table(cpu, insn); }

void sldt(Cpu& cpu, const Insn& insn) {
  require_protected(cpu);
  check_umip(cpu);
  write_word(cpu, insn, 0, cpu.ldtr.selector);
}

void str(Cpu& cpu, const Insn& insn) {
  require_protected(cpu);
  check_umip(cpu);
  write_word(cpu, insn, 0, cpu.tr.selector);
}

void lldt(Cpu& cpu, const Insn& insn) {
  require_protected(cpu);
  require_cpl0(cpu);
  load_ldtr(cpu, read_word(cpu, insn, 0));
}

void ltr(Cpu& cpu, const Insn& insn) {
  require_protected(cpu);
  require_cpl0(cpu);
  const u16 selector = read_word(cpu, insn, 0);
  if (is_null(selector)) raise(Vector::Gp, 0);
  const u32 error = selector_error(selector);
  if ((selector & 4) != 0) raise(Vector::Gp, error);
  Descriptor d = fetch_descriptor(cpu, selector);
  const bool available = !d.s() && (d.type() == kTss32 || (d.type() == kTss16 && !cpu.lma()));
  if (!available) raise(Vector::Gp, error);
  if (!d.present()) raise(Vector::Np, error);
  if (cpu.lma()) {
    fetch_upper_half(cpu, selector, d);
    if (!cpu.canonical(d.base())) raise(Vector::Gp, error);
  }
  set_busy(cpu, d.address, true);
  d.low |= u64{kBusy} << 40;
  cpu.tr = segment_from(selector, d);
}

}  // namespace rhea::x86::system
