// SPDX-License-Identifier: GPL-2.0-or-later
// CMPXCHG, CMPXCHG8B, CMPXCHG16B, XCHG.
#include "target/x86/interp/operand.h"

#include <array>

namespace rhea::x86::interp {
namespace {

// Memory is written in either case (SDM vol. 2, CMPXCHG), with what was there if they differ; a
// register only if they are equal: the upper half of a 32-bit one else stays.
template <class Place>
struct CompareExchange {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T expected = cpu.reg<T>(Rax), wanted = cpu.reg<T>(insn.op[1].reg);
    T old;
    if constexpr (std::is_same_v<Place, InMemory>) {
      old = Place::template modify<T>(cpu, insn,
                                      [=](T now) { return now == expected ? wanted : now; });
    } else {
      old = Place::template get<T>(cpu, insn);
      if (old == expected) Place::template set<T>(cpu, insn, wanted);
    }
    if (old != expected) cpu.set_reg<T>(Rax, old);
    const T r = static_cast<T>(expected - old);
    cpu.flags.set<T>(r, static_cast<T>((~expected & old) | ((~expected | old) & r)));
  }
};

// The pair in memory, DX:AX-wise compared and replaced.
template <class Half, class Pair>
void compare_exchange_pair(Cpu& cpu, const Insn& insn) {
  constexpr unsigned bits = 8 * sizeof(Half);
  const auto pair = [&](unsigned high, unsigned low) {
    return static_cast<Pair>(cpu.reg<Half>(high)) << bits | cpu.reg<Half>(low);
  };
  const u64 offset = cpu.effective_address(insn);
  if (sizeof(Pair) == 16 && (cpu.linear(insn.seg, offset, sizeof(Pair), true) & 15) != 0)
    raise(Vector::Gp, 0);
  const Pair expected = pair(Rdx, Rax), wanted = pair(Rcx, Rbx);
  const Pair old = cpu.modify<Pair>(insn.seg, offset, insn.has(kLock),
                                    [=](Pair now) { return now == expected ? wanted : now; });
  if (old != expected) {
    cpu.set_reg<Half>(Rax, static_cast<Half>(old));
    cpu.set_reg<Half>(Rdx, static_cast<Half>(old >> bits));
  }
  cpu.flags.change(eflags::kZf, old == expected ? eflags::kZf : 0);
}

// XCHG with memory is locked with or without the prefix.
template <class Place>
struct Exchange {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T mine = cpu.reg<T>(insn.op[1].reg);
    T old;
    if constexpr (std::is_same_v<Place, InMemory>)
      old = cpu.modify<T>(insn.seg, cpu.effective_address(insn), true, [=](T) { return mine; });
    else
      old = Place::template modify<T>(cpu, insn, [=](T) { return mine; });
    cpu.set_reg<T>(insn.op[1].reg, old);
  }
};

// XCHG's operands commute: memory or not, operand 1 is a register.
Execute bind_exchange(const Insn& insn) { return by_place<Exchange>(insn); }

constexpr std::array kBindings = {
    Binding{"cmpxchg", &by_place<CompareExchange>},
    Binding{"cmpxchg8b", &always<&compare_exchange_pair<u32, u64>>},
    Binding{"cmpxchg16b", &always<&compare_exchange_pair<u64, u128>>},
    Binding{"xchg", &bind_exchange},
};

}  // namespace

std::span<const Binding> exchange_bindings() { return kBindings; }

}  // namespace rhea::x86::interp
