// SPDX-License-Identifier: GPL-2.0-or-later
// Operands as the interpreter's functions read and write them, specialised by place and size.
#pragma once

#include "target/x86/interp/bind.h"

namespace rhea::x86::interp {

/// Operand N in a general register.
template <unsigned N>
struct InRegister {
  template <class T>
  static T get(Cpu& cpu, const Insn& insn) {
    return cpu.reg<T>(insn.op[N].reg);
  }
  template <class T>
  static void set(Cpu& cpu, const Insn& insn, T value) {
    cpu.set_reg<T>(insn.op[N].reg, value);
  }
  /// Old value; `change` gives the new one.
  template <class T, class Change>
  static T modify(Cpu& cpu, const Insn& insn, Change change) {
    const T old = get<T>(cpu, insn);
    set<T>(cpu, insn, change(old));
    return old;
  }
};

/// The memory operand.
struct InMemory {
  template <class T>
  static T get(Cpu& cpu, const Insn& insn) {
    return cpu.read<T>(insn.seg, cpu.effective_address(insn));
  }
  template <class T>
  static void set(Cpu& cpu, const Insn& insn, T value) {
    cpu.write<T>(insn.seg, cpu.effective_address(insn), value);
  }
  template <class T, class Change>
  static T modify(Cpu& cpu, const Insn& insn, Change change) {
    return cpu.modify<T>(insn.seg, cpu.effective_address(insn), insn.has(kLock), change);
  }
};

struct AsImmediate {
  template <class T>
  static T get(Cpu&, const Insn& insn) {
    return static_cast<T>(insn.imm);
  }
};

/// Size of operand `n` as an index: 1, 2, 4, 8 bytes are 0 to 3.
inline unsigned size_index(const Insn& insn, unsigned n = 0) {
  return static_cast<unsigned>(__builtin_ctz(insn.op[n].size | 0x100));
}

/// Four functions, one a size: pick<F>(insn) where F has `template <class T> static void run(...)`.
template <class F>
Execute by_size(const Insn& insn, unsigned n = 0) {
  switch (insn.op[n].size) {
    case 1: return &F::template run<u8>;
    case 2: return &F::template run<u16>;
    case 4: return &F::template run<u32>;
    case 8: return &F::template run<u64>;
    default: return nullptr;
  }
}

/// By size and by where operand 0 lies: F<Place>::run<T>.
template <template <class> class F>
Execute by_place(const Insn& insn) {
  return insn.op[0].kind == OperandKind::Memory ? by_size<F<InMemory>>(insn)
                                                : by_size<F<InRegister<0>>>(insn);
}

}  // namespace rhea::x86::interp
