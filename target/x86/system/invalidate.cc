// SPDX-License-Identifier: GPL-2.0-or-later
// Instructions on TLBs and cache lines.
#include "target/x86/system/checks.h"
#include "target/x86/system/functions.h"

namespace rhea::x86::system {

void invlpg(Cpu& cpu, const Insn& insn) {
  require_cpl0(cpu);
  const u64 offset = cpu.effective_address(insn);
  u64 linear = offset + cpu.seg[insn.seg].base;
  if (cpu.long_mode())
    linear = insn.seg >= Fs ? linear : offset;
  else
    linear &= 0xffff'ffff;
  // Of an address that is not canonical there is nothing in the TLB (APM vol. 3, INVLPG).
  if (cpu.long_mode() && !cpu.canonical(linear)) return;
  cpu.flush_tlb_page(linear);
}

void invpcid(Cpu& cpu, const Insn& insn) {
  if (cpu.mode == Mode::Virtual8086) raise(Vector::Gp, 0);
  require_cpl0(cpu);
  const u64 type = cpu.gpr[insn.op[0].reg] & Cpu::size_mask(cpu.long_mode() ? 8 : 4);
  const u64 at = cpu.effective_address(insn);
  const u64 pcid = cpu.read<u64>(insn.seg, at);
  const u64 linear = cpu.read<u64>(insn.seg, (at + 8) & Cpu::size_mask(insn.address_size));
  if (type > 3) raise(Vector::Gp, 0);
  if (type < 2) {
    if (pcid >> 12 != 0) raise(Vector::Gp, 0);
    if (pcid != 0 && (cpu.cr4 & cr4::kPcide) == 0) raise(Vector::Gp, 0);
  }
  constexpr u64 kOnePage = 0, kContext = 1, kAllAndGlobal = 2;
  const bool running = pcid == ((cpu.cr4 & cr4::kPcide) != 0 ? cpu.cr3 & 0xfff : 0);
  if (type == kOnePage) {
    if (!cpu.canonical(linear)) raise(Vector::Gp, 0);
    return running ? cpu.flush_tlb_page(linear) : cpu.tlb.invalidate_others();
  }
  if (type == kContext && !running) return cpu.tlb.invalidate_others();
  cpu.invalidate_tlb(type == kAllAndGlobal);
}

/// WBINVD, WBNOINVD and INVD: there are no caches to write back.
void wbinvd(Cpu& cpu, const Insn&) { require_cpl0(cpu); }

/// Writes zeros to the cache line at rAX (APM vol. 3, CLZERO).
void clzero(Cpu& cpu, const Insn& insn) {
  static constexpr std::array<u8, 64> kZeros{};
  const u64 at = cpu.gpr[Rax] & Cpu::size_mask(insn.address_size) & ~u64{63};
  cpu.write_bytes(insn.seg, at, kZeros.data(), kZeros.size());
}

}  // namespace rhea::x86::system
