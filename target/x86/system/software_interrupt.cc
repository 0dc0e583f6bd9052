// SPDX-License-Identifier: GPL-2.0-or-later
// INT n, INT3, INT1, INTO and BOUND.
#include "target/x86/system/checks.h"
#include "target/x86/system/events.h"
#include "target/x86/system/functions.h"

namespace rhea::x86::system {

void int_n(Cpu& cpu, const Insn& insn) {
  deliver(cpu, {.vector = static_cast<u8>(insn.imm), .kind = EventKind::SoftwareInterrupt});
}

void int3(Cpu& cpu, const Insn&) {
  deliver(cpu, {.vector = static_cast<u8>(Vector::Bp), .kind = EventKind::SoftwareException});
}

/// Breakpoints that a load of SS has met come along; its single-step trap is lost.
void int1(Cpu& cpu, const Insn&) {
  const u64 met = cpu.pending_db & 0xf;
  cpu.pending_db = 0;
  if (met != 0) cpu.dr6 = (cpu.dr6 & ~u64{0xf}) | met;
  deliver(cpu, {.vector = static_cast<u8>(Vector::Db), .kind = EventKind::Int1});
}

void into(Cpu& cpu, const Insn&) {
  if (cpu.flags.of())
    deliver(cpu, {.vector = static_cast<u8>(Vector::Of), .kind = EventKind::SoftwareException});
}

void bound(Cpu& cpu, const Insn& insn) {
  const unsigned size = insn.operand_size;
  const u64 at = cpu.effective_address(insn);
  const auto sign_extended = [&](u64 value) {
    return size == 2 ? i64{static_cast<i16>(value)} : i64{static_cast<i32>(value)};
  };
  const i64 value = sign_extended(cpu.gpr[insn.op[0].reg]);
  const i64 lower = sign_extended(read_sized(cpu, insn.seg, at, size));
  // Intel's processors do not go on to the upper bound, which may fault.
  if (value < lower && !is_amd(cpu)) raise(Vector::Br);
  const u64 behind = (at + size) & Cpu::size_mask(insn.address_size);
  const i64 upper = sign_extended(read_sized(cpu, insn.seg, behind, size));
  if (value < lower || value > upper) raise(Vector::Br);
}

}  // namespace rhea::x86::system
