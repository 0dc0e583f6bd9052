// SPDX-License-Identifier: GPL-2.0-or-later
// Moves, extensions, LEA, conditional moves, XLAT, and instructions that do nothing.
#include "target/x86/interp/operand.h"
#include "target/x86/system/checks.h"

#include <array>

namespace rhea::x86::interp {
namespace {

template <class Dst, class Src>
struct Mov {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    Dst::template set<T>(cpu, insn, Src::template get<T>(cpu, insn));
  }
};

Execute bind_mov(const Insn& insn) {
  const OperandKind source = insn.op[1].kind;
  if (insn.op[0].kind == OperandKind::Memory)
    return source == OperandKind::Immediate ? by_size<Mov<InMemory, AsImmediate>>(insn)
                                            : by_size<Mov<InMemory, InRegister<1>>>(insn);
  if (source == OperandKind::Immediate) return by_size<Mov<InRegister<0>, AsImmediate>>(insn);
  if (source == OperandKind::Memory) return by_size<Mov<InRegister<0>, InMemory>>(insn);
  return by_size<Mov<InRegister<0>, InRegister<1>>>(insn);
}

// MOV with a direct offset: the address is the immediate, as long as the address size.
struct MoveOffset {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const u64 offset = insn.imm & Cpu::size_mask(insn.address_size);
    if (insn.op[0].kind == OperandKind::Memory)
      cpu.write<T>(insn.seg, offset, cpu.reg<T>(Rax));
    else
      cpu.set_reg<T>(Rax, cpu.read<T>(insn.seg, offset));
  }
};

template <class From, class Src, bool Signed>
struct Extend {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const From value = Src::template get<From>(cpu, insn);
    if constexpr (Signed)
      cpu.set_reg<T>(insn.op[0].reg, static_cast<T>(static_cast<std::make_signed_t<From>>(value)));
    else
      cpu.set_reg<T>(insn.op[0].reg, static_cast<T>(value));
  }
};

template <bool Signed, class Src>
Execute bind_extend_from(const Insn& insn) {
  switch (insn.op[1].size) {
    case 1: return by_size<Extend<u8, Src, Signed>>(insn);
    case 2: return by_size<Extend<u16, Src, Signed>>(insn);
    case 4: return by_size<Extend<u32, Src, Signed>>(insn);
    default: return nullptr;
  }
}
template <bool Signed>
Execute bind_extend(const Insn& insn) {
  return insn.op[1].kind == OperandKind::Memory ? bind_extend_from<Signed, InMemory>(insn)
                                                : bind_extend_from<Signed, InRegister<1>>(insn);
}

struct Lea {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    cpu.set_reg<T>(insn.op[0].reg, static_cast<T>(cpu.effective_address(insn)));
  }
};

// A 32-bit CMOV clears the upper half whether it moves or not, and memory is read in either case.
template <class Src>
struct ConditionalMove {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T value = Src::template get<T>(cpu, insn);
    const bool moves = condition(cpu.flags, insn.opcode & 0xf);
    cpu.set_reg<T>(insn.op[0].reg, moves ? value : cpu.reg<T>(insn.op[0].reg));
  }
};
Execute bind_cmov(const Insn& insn) {
  return insn.op[1].kind == OperandKind::Memory ? by_size<ConditionalMove<InMemory>>(insn)
                                                : by_size<ConditionalMove<InRegister<1>>>(insn);
}

template <class Place>
struct SetOnCondition {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    Place::template set<T>(cpu, insn, condition(cpu.flags, insn.opcode & 0xf) ? T{1} : T{0});
  }
};

template <class T>
T swapped(T value) {
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(static_cast<u32>(value));
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(static_cast<u16>(value));
  return value;
}
struct MoveSwapped {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    if (insn.op[0].kind == OperandKind::Memory)
      InMemory::set<T>(cpu, insn, swapped(cpu.reg<T>(insn.op[1].reg)));
    else
      cpu.set_reg<T>(insn.op[0].reg, swapped(InMemory::get<T>(cpu, insn)));
  }
};

// CBW, CWDE, CDQE: the accumulator's lower half extended into all of it.
void cbw(Cpu& cpu, const Insn& insn) {
  switch (insn.operand_size) {
    case 2: cpu.set_reg<u16>(Rax, static_cast<u16>(static_cast<i8>(cpu.gpr[Rax]))); break;
    case 4: cpu.set_reg<u32>(Rax, static_cast<u32>(static_cast<i16>(cpu.gpr[Rax]))); break;
    default: cpu.gpr[Rax] = static_cast<u64>(static_cast<i64>(static_cast<i32>(cpu.gpr[Rax])));
  }
}

// CWD, CDQ, CQO: rDX filled with the accumulator's sign.
void cwd(Cpu& cpu, const Insn& insn) {
  switch (insn.operand_size) {
    case 2: cpu.set_reg<u16>(Rdx, static_cast<i16>(cpu.gpr[Rax]) < 0 ? 0xffff : 0); break;
    case 4: cpu.set_reg<u32>(Rdx, static_cast<i32>(cpu.gpr[Rax]) < 0 ? ~0U : 0); break;
    default: cpu.gpr[Rdx] = static_cast<i64>(cpu.gpr[Rax]) < 0 ? ~u64{0} : 0;
  }
}

void xlat(Cpu& cpu, const Insn& insn) {
  const u64 offset = (cpu.gpr[Rbx] + cpu.reg<u8>(Rax)) & Cpu::size_mask(insn.address_size);
  cpu.set_reg<u8>(Rax, cpu.read<u8>(insn.seg, offset));
}

// NOP, hints, prefetches and fences: a processor that runs in order has nothing to do.
void nothing(Cpu&, const Insn&) {}
void fence(Cpu&, const Insn&) { std::atomic_thread_fence(std::memory_order_seq_cst); }

// Cache line flushes touch their line as a byte load does.
void flush_line(Cpu& cpu, const Insn& insn) {
  static_cast<void>(cpu.read<u8>(insn.seg, cpu.effective_address(insn)));
}

template <class F>
Execute sized(const Insn& insn) {
  return by_size<F>(insn);
}
Execute bind_movoffs(const Insn& insn) { return by_size<MoveOffset>(insn); }

constexpr std::array kBindings = {
    Binding{"mov", &bind_mov},
    Binding{"movnti", &bind_mov},
    Binding{"movoffs", &bind_movoffs},
    Binding{"movzx", &bind_extend<false>},
    Binding{"movsx", &bind_extend<true>},
    Binding{"lea", &sized<Lea>},
    Binding{"cmovcc", &bind_cmov},
    Binding{"setcc", &by_place<SetOnCondition>},
    Binding{"movbe", &sized<MoveSwapped>},
    Binding{"cbw", &always<&cbw>},
    Binding{"cwd", &always<&cwd>},
    Binding{"xlat", &always<&xlat>},
    Binding{"nop", &always<&nothing>},
    Binding{"prefetch", &always<&nothing>},
    Binding{"lfence", &always<&fence>},
    Binding{"mfence", &always<&fence>},
    Binding{"sfence", &always<&fence>},
    Binding{"clflush", &always<&flush_line>},
    Binding{"clflushopt", &always<&flush_line>},
    Binding{"clwb", &always<&flush_line>},
};

}  // namespace

std::span<const Binding> move_bindings() { return kBindings; }

namespace {

// MOVSXD with a 16- or 32-bit destination is a plain move of so many bytes (SDM vol. 2, MOVSXD).
// AMD's processors read all four bytes nevertheless.
struct MoveTruncated {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const bool memory = insn.op[1].kind == OperandKind::Memory;
    const u32 value = !memory               ? cpu.reg<u32>(insn.op[1].reg)
                      : system::is_amd(cpu) ? InMemory::get<u32>(cpu, insn)
                                            : InMemory::get<T>(cpu, insn);
    cpu.set_reg<T>(insn.op[0].reg, static_cast<T>(value));
  }
};

Execute bind_movsxd(const Insn& insn) {
  return insn.op[0].size == 8 ? bind_extend<true>(insn) : by_size<MoveTruncated>(insn);
}

constexpr std::array kMovsxd = {Binding{"movsxd", &bind_movsxd}};

}  // namespace

std::span<const Binding> movsxd_bindings() { return kMovsxd; }

}  // namespace rhea::x86::interp
