// SPDX-License-Identifier: GPL-2.0-or-later
// Checks and operand access that many system instructions share.
#pragma once

#include "target/x86/cpu.h"

namespace rhea::x86::system {

inline void require_cpl0(const Cpu& cpu) {
  if (cpu.cpl != 0) raise(Vector::Gp, 0);
}
/// Instructions that exist in protected mode only.
inline void require_protected(const Cpu& cpu) {
  if (cpu.mode == Mode::Real || cpu.mode == Mode::Virtual8086) raise(Vector::Ud);
}
/// User-mode instruction prevention (SDM vol. 3, 2.5).
inline void check_umip(const Cpu& cpu) {
  if ((cpu.cr4 & cr4::kUmip) != 0 && cpu.cpl != 0) raise(Vector::Gp, 0);
}
inline bool is_amd(const Cpu& cpu) { return cpu.model->is_amd(); }

/// Bytes of the offset in a far pointer in memory: with REX.W four on AMD's processors.
inline unsigned far_offset_size(const Cpu& cpu, const Insn& insn) {
  return insn.operand_size == 8 && is_amd(cpu) ? 4 : insn.operand_size;
}

/// A 16-bit operand in a register or memory.
inline u16 read_word(Cpu& cpu, const Insn& insn, unsigned n) {
  const Operand& operand = insn.op[n];
  if (operand.kind == OperandKind::Memory)
    return cpu.read<u16>(insn.seg, cpu.effective_address(insn));
  return cpu.reg<u16>(operand.reg);
}
inline void set_reg_sized(Cpu& cpu, unsigned reg, u64 value, unsigned size) {
  if (size == 8)
    cpu.set_reg<u64>(reg, value);
  else if (size == 4)
    cpu.set_reg<u32>(reg, static_cast<u32>(value));
  else
    cpu.set_reg<u16>(reg, static_cast<u16>(value));
}
/// 16 bits to memory, or the operand size to a register.
inline void write_word(Cpu& cpu, const Insn& insn, unsigned n, u64 value) {
  const Operand& operand = insn.op[n];
  if (operand.kind == OperandKind::Memory)
    cpu.write<u16>(insn.seg, cpu.effective_address(insn), static_cast<u16>(value));
  else
    set_reg_sized(cpu, operand.reg, value, insn.operand_size);
}
inline u64 read_sized(Cpu& cpu, unsigned segment, u64 offset, unsigned size) {
  return size == 8   ? cpu.read<u64>(segment, offset)
         : size == 4 ? cpu.read<u32>(segment, offset)
                     : cpu.read<u16>(segment, offset);
}

}  // namespace rhea::x86::system
