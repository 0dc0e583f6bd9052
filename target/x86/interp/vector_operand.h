// SPDX-License-Identifier: GPL-2.0-or-later
// Memory operands of vector instructions: 1 to 32 bytes, sometimes aligned.
#pragma once

#include "target/x86/interp/fpu_gate.h"
#include "target/x86/interp/native_form.h"

namespace rhea::x86::interp {

inline void check_gate(Cpu& cpu, Gate gate) {
  switch (gate) {
    case Gate::Sse: return check_sse(cpu);
    case Gate::Avx: return check_avx(cpu);
    case Gate::SseMmx: check_sse(cpu); return raise_pending_x87(cpu);
    case Gate::Mmx: return check_mmx(cpu);
  }
}

inline void check_alignment(const Cpu& cpu, const Insn& insn, u64 offset, unsigned alignment) {
  const u64 base = cpu.long_mode() && insn.seg < Fs ? 0 : cpu.seg[insn.seg].base;
  if (((base + offset) & (alignment - 1)) != 0) raise(Vector::Gp, 0);
}

template <unsigned kSize>
using Bytes = std::array<u8, kSize>;

inline void load_operand(Cpu& cpu, const Insn& insn, u64 offset, unsigned size, void* to) {
  const auto as = [&]<class T>(T) {
    const T value = cpu.read<T>(insn.seg, offset);
    std::memcpy(to, &value, sizeof value);
  };
  switch (size) {
    case 4: return as(u32{});
    case 8: return as(u64{});
    case 16: return as(Bytes<16>{});
    case 32: return as(Bytes<32>{});
    default: return cpu.read_bytes(insn.seg, offset, to, size);
  }
}

inline void store_operand(Cpu& cpu, const Insn& insn, u64 offset, unsigned size, const void* from) {
  const auto as = [&]<class T>(T value) {
    std::memcpy(&value, from, sizeof value);
    cpu.write<T>(insn.seg, offset, value);
  };
  switch (size) {
    case 4: return as(u32{});
    case 8: return as(u64{});
    case 16: return as(Bytes<16>{});
    case 32: return as(Bytes<32>{});
    default: return cpu.write_bytes(insn.seg, offset, from, size);
  }
}

/// What an instruction that uses MMn does to the x87 registers' tags (SDM vol. 1, 9.5.1).
inline void enter_mmx(Cpu& cpu) {
  cpu.x87.set_top(0);
  cpu.x87.valid = 0xff;
}

}  // namespace rhea::x86::interp
