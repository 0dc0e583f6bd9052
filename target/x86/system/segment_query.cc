// SPDX-License-Identifier: GPL-2.0-or-later
// VERR, VERW, LAR, LSL, ARPL: what a selector would give, without loading it.
#include "target/x86/system/checks.h"
#include "target/x86/system/functions.h"
#include "target/x86/system/segments.h"

#include <algorithm>

namespace rhea::x86::system {
namespace {

void set_zf(Cpu& cpu, bool on) { cpu.flags.change(eflags::kZf, on ? eflags::kZf : 0); }

bool privilege_allows(const Cpu& cpu, const Descriptor& d, u16 selector) {
  return d.is_conforming() || d.dpl() >= std::max<unsigned>(cpu.cpl, rpl_of(selector));
}

std::optional<Descriptor> look_up(Cpu& cpu, u16 selector) {
  if (is_null(selector)) return std::nullopt;
  auto found = find_descriptor(cpu, selector);
  if (!found || !privilege_allows(cpu, *found, selector)) return std::nullopt;
  return found;
}

/// System descriptors that LAR (gates too) and LSL (those with a limit) accept.
bool is_visible(const Cpu& cpu, const Descriptor& d, bool gates) {
  if (d.s()) return true;
  switch (d.type()) {
    case kLdt:
    case kTss32:
    case kBusyTss32: return true;
    case kTss16:
    case kBusyTss16: return !cpu.lma();
    case kCallGate32: return gates;
    case kCallGate16:
    case kTaskGate: return gates && !cpu.lma();
    default: return false;
  }
}

void verify(Cpu& cpu, const Insn& insn, bool write) {
  require_protected(cpu);
  const auto found = look_up(cpu, read_word(cpu, insn, 0));
  set_zf(cpu, found && found->s() && (write ? found->is_writable_data() : found->is_readable()));
}

std::optional<Descriptor> query(Cpu& cpu, const Insn& insn, bool gates) {
  require_protected(cpu);
  auto found = look_up(cpu, read_word(cpu, insn, 1));
  const bool visible = found && is_visible(cpu, *found, gates);
  set_zf(cpu, visible);
  return visible ? found : std::nullopt;
}

}  // namespace

void verr(Cpu& cpu, const Insn& insn) { verify(cpu, insn, false); }
void verw(Cpu& cpu, const Insn& insn) { verify(cpu, insn, true); }

void lar(Cpu& cpu, const Insn& insn) {
  if (const auto d = query(cpu, insn, true))
    set_reg_sized(cpu, insn.op[0].reg, d->low >> 32 & 0x00ff'ff00, insn.operand_size);
}

void lsl(Cpu& cpu, const Insn& insn) {
  if (const auto d = query(cpu, insn, false))
    set_reg_sized(cpu, insn.op[0].reg, d->limit(), insn.operand_size);
}

void arpl(Cpu& cpu, const Insn& insn) {
  require_protected(cpu);
  const u16 from = cpu.reg<u16>(insn.op[1].reg);
  const u16 selector = read_word(cpu, insn, 0);
  const bool raised = rpl_of(selector) < rpl_of(from);
  const auto wanted = static_cast<u16>((selector & ~3) | rpl_of(from));
  if (raised && insn.op[0].kind == OperandKind::Memory)
    cpu.write<u16>(insn.seg, cpu.effective_address(insn), wanted);
  else if (raised)
    cpu.set_reg<u16>(insn.op[0].reg, wanted);
  set_zf(cpu, raised);
}

}  // namespace rhea::x86::system
