// SPDX-License-Identifier: GPL-2.0-or-later
// Moves of whole vector registers.
#include "target/x86/interp/vector_operand.h"
#include "target/x86/interp/vector_special.h"
#include "target/x86/isa/row.h"

#include <algorithm>

namespace rhea::x86::interp {
namespace {

constexpr std::string_view kMoves[] = {"movaps",  "movapd",   "movups",  "movupd",
                                       "movdqa",  "movdqu",   "movntps", "movntpd",
                                       "movntdq", "movntdqa", "lddqu"};

template <bool kVex>
void check(const Cpu& cpu) {
  if constexpr (kVex)
    check_avx(cpu);
  else
    check_sse(cpu);
}

/// VEX clears what lies above the operand, legacy SSE keeps it.
template <bool kVex, unsigned kSize>
void set(Cpu& cpu, unsigned reg, const Bytes<kSize>& value) {
  VectorRegister& to = cpu.ymm[reg];
  to.set_low(value);
  if constexpr (kVex && kSize == 16) to.q[2] = to.q[3] = 0;
}

template <bool kVex, unsigned kSize>
void copy(Cpu& cpu, const Insn& insn) {
  check<kVex>(cpu);
  set<kVex, kSize>(cpu, insn.op[0].reg, cpu.ymm[insn.op[1].reg].low<Bytes<kSize>>());
}

template <bool kVex, unsigned kSize>
void load(Cpu& cpu, const Insn& insn) {
  check<kVex>(cpu);
  const u64 offset = cpu.effective_address(insn);
  if (insn.native->alignment > 1) check_alignment(cpu, insn, offset, kSize);
  set<kVex, kSize>(cpu, insn.op[0].reg, cpu.read<Bytes<kSize>>(insn.seg, offset));
}

template <bool kVex, unsigned kSize>
void store(Cpu& cpu, const Insn& insn) {
  check<kVex>(cpu);
  const u64 offset = cpu.effective_address(insn);
  if (insn.native->alignment > 1) check_alignment(cpu, insn, offset, kSize);
  cpu.write(insn.seg, offset, cpu.ymm[insn.op[1].reg].low<Bytes<kSize>>());
}

template <bool kVex, unsigned kSize>
Execute pick(const Insn& insn) {
  if (insn.op[0].kind == OperandKind::Memory) return &store<kVex, kSize>;
  return insn.op[1].kind == OperandKind::Memory ? &load<kVex, kSize> : &copy<kVex, kSize>;
}

}  // namespace

Execute bind_vector_move(Insn& insn) {
  const isa::Row& row = isa::rows()[insn.row];
  const std::string_view name = row.vex ? row.mnemonic.substr(1) : row.mnemonic;
  if (std::ranges::find(kMoves, name) == std::end(kMoves)) return nullptr;
  insn.native = native_form(insn);
  if (insn.native == nullptr) return nullptr;
  if (!row.vex) return pick<false, 16>(insn);
  return insn.has(kVexL) ? pick<true, 32>(insn) : pick<true, 16>(insn);
}

}  // namespace rhea::x86::interp
