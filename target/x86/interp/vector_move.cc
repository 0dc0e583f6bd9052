// SPDX-License-Identifier: GPL-2.0-or-later
// Moves of whole vector registers, and of their lowest element from and to memory or a general
// register.
#include "target/x86/interp/vector_operand.h"
#include "target/x86/interp/vector_special.h"
#include "target/x86/isa/row.h"

#include <algorithm>

namespace rhea::x86::interp {
namespace {

constexpr std::string_view kMoves[] = {"movaps",  "movapd",   "movups",  "movupd",
                                       "movdqa",  "movdqu",   "movntps", "movntpd",
                                       "movntdq", "movntdqa", "lddqu"};

constexpr std::string_view kScalarMoves[] = {"movss", "movsd", "movd", "movq"};

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

// ---- MOVSS, MOVSD, MOVD, MOVQ: the rest of the register becomes zero.

template <bool kVex, class T>
void set_scalar(Cpu& cpu, unsigned reg, T value) {
  VectorRegister& to = cpu.ymm[reg];
  to.q[0] = value;
  to.q[1] = 0;
  if constexpr (kVex) to.q[2] = to.q[3] = 0;
}

template <bool kVex, class T>
void load_scalar(Cpu& cpu, const Insn& insn) {
  check<kVex>(cpu);
  set_scalar<kVex>(cpu, insn.op[0].reg, cpu.read<T>(insn.seg, cpu.effective_address(insn)));
}

template <bool kVex, class T>
void store_scalar(Cpu& cpu, const Insn& insn) {
  check<kVex>(cpu);
  cpu.write<T>(insn.seg, cpu.effective_address(insn), cpu.ymm[insn.op[1].reg].low<T>());
}

template <bool kVex, class T>
void from_general(Cpu& cpu, const Insn& insn) {
  check<kVex>(cpu);
  set_scalar<kVex>(cpu, insn.op[0].reg, cpu.reg<T>(insn.op[1].reg));
}

template <bool kVex, class T>
void to_general(Cpu& cpu, const Insn& insn) {
  check<kVex>(cpu);
  cpu.set_reg<T>(insn.op[0].reg, cpu.ymm[insn.op[1].reg].low<T>());
}

template <bool kVex, class T>
Execute pick_scalar(const Insn& insn) {
  using enum OperandKind;
  const auto is = [&](OperandKind to, OperandKind from) {
    return insn.op[0].kind == to && insn.op[1].kind == from;
  };
  if (is(Vector, Memory)) return &load_scalar<kVex, T>;
  if (is(Memory, Vector)) return &store_scalar<kVex, T>;
  if (is(Vector, Gpr)) return &from_general<kVex, T>;
  if (is(Gpr, Vector)) return &to_general<kVex, T>;
  return nullptr;
}

Execute bind_scalar_move(const Insn& insn, std::string_view name, bool vex) {
  if (std::ranges::find(kScalarMoves, name) == std::end(kScalarMoves)) return nullptr;
  // Memory or the general register has the size that is moved.
  const bool wide = insn.op[insn.op[0].kind == OperandKind::Vector ? 1 : 0].size == 8;
  if (vex) return wide ? pick_scalar<true, u64>(insn) : pick_scalar<true, u32>(insn);
  return wide ? pick_scalar<false, u64>(insn) : pick_scalar<false, u32>(insn);
}

}  // namespace

Execute bind_vector_move(Insn& insn) {
  const isa::Row& row = isa::rows()[insn.row];
  const std::string_view name = row.vex ? row.mnemonic.substr(1) : row.mnemonic;
  if (const Execute scalar = bind_scalar_move(insn, name, row.vex)) return scalar;
  if (std::ranges::find(kMoves, name) == std::end(kMoves)) return nullptr;
  insn.native = native_form(insn);
  if (insn.native == nullptr) return nullptr;
  if (!row.vex) return pick<false, 16>(insn);
  return insn.has(kVexL) ? pick<true, 32>(insn) : pick<true, 16>(insn);
}

}  // namespace rhea::x86::interp
