// SPDX-License-Identifier: GPL-2.0-or-later
#include "target/x86/translate/foresight.h"

namespace rhea::x86::translating {

std::optional<Fault> foreseen_fault(Cpu& cpu, const Insn& insn, Record record) {
  const Access access = record.access();
  const auto at = [&](unsigned segment, u64 offset, bool write) -> std::optional<Fault> {
    // What is misaligned may not be for that alone: its linear address is what counts.
    const u64 base = cpu.mode == Mode::Long && segment < Fs ? 0 : cpu.seg[segment].base;
    if (access.aligned && ((base + offset) & (access.size - 1)) != 0) return std::nullopt;
    return cpu.foresee(segment, offset, access.size, write);
  };
  const auto on_stack = [&](unsigned reg, u64 disp) {
    const u64 offset = (cpu.gpr[reg] + disp) & Cpu::size_mask(cpu.stack_address_size());
    return at(Ss, offset, access.write);
  };
  const auto at_destination = [&] {
    return at(Es, cpu.gpr[Rdi] & Cpu::size_mask(insn.address_size), true);
  };
  switch (record.reach()) {
    case Reach::Operand: return at(insn.seg, cpu.effective_address(insn), access.write);
    case Reach::Push: return on_stack(Rsp, -u64{access.size});
    case Reach::Pop: return on_stack(Rsp, 0);
    case Reach::Frame: return on_stack(Rbp, 0);
    case Reach::Destination: return at_destination();
    case Reach::Copy: {
      const auto source = at(insn.seg, cpu.effective_address(insn), false);
      return source ? source : at_destination();
    }
    case Reach::Unknown: break;
  }
  return std::nullopt;
}

}  // namespace rhea::x86::translating
