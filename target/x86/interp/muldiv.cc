// SPDX-License-Identifier: GPL-2.0-or-later
// Multiplication, division and the decimal adjustments.
#include "target/x86/interp/host_flags.h"
#include "target/x86/interp/operand.h"

#include <array>

namespace rhea::x86::interp {
namespace {

template <class T>
struct Wider;
template <>
struct Wider<u8> {
  using Unsigned = u16;
  using Signed = i16;
};
template <>
struct Wider<u16> {
  using Unsigned = u32;
  using Signed = i32;
};
template <>
struct Wider<u32> {
  using Unsigned = u64;
  using Signed = i64;
};
__extension__ using i128 = __int128;
template <>
struct Wider<u64> {
  using Unsigned = u128;
  using Signed = i128;
};
template <class T>
using Unsigned2 = typename Wider<T>::Unsigned;
template <class T>
using Signed2 = typename Wider<T>::Signed;

/// The double-width accumulator: AX, or DX:AX, EDX:EAX, RDX:RAX.
template <class T>
Unsigned2<T> accumulator(const Cpu& cpu) {
  if constexpr (sizeof(T) == 1)
    return cpu.reg<u16>(Rax);
  else
    return static_cast<Unsigned2<T>>(cpu.reg<T>(Rdx)) << 8 * sizeof(T) | cpu.reg<T>(Rax);
}
template <class T>
void set_accumulator(Cpu& cpu, T high, T low) {
  if constexpr (sizeof(T) == 1) {
    cpu.set_reg<u16>(Rax, static_cast<u16>(high << 8 | low));
  } else {
    cpu.set_reg<T>(Rax, low);
    cpu.set_reg<T>(Rdx, high);
  }
}

template <class T>
T sign_of(T value) {
  return static_cast<T>(static_cast<std::make_signed_t<T>>(value) >> (8 * sizeof(T) - 1));
}

// SF, ZF, PF and AF are undefined after a multiplication; SF and PF follow the low half here, or
// they are the host's (host_flags.h).
template <class Host, class T>
void set_multiply_flags(Cpu& cpu, const Insn& insn, T a, T b, T low, bool overflow) {
  const bool ask_host = comparing::is(comparing::host_flags);
  const u32 before = ask_host ? cpu.flags.value() : 0;
  cpu.flags.set<T>(low, overflow, overflow);
  if (ask_host) [[unlikely]]
    settle_flags<Host>(cpu, before, undefined_flags(insn), a, b);
}

template <class Place>
struct Mul {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T a = cpu.reg<T>(Rax), b = Place::template get<T>(cpu, insn);
    const auto product = static_cast<Unsigned2<T>>(static_cast<Unsigned2<T>>(a) * b);
    const T low = static_cast<T>(product), high = static_cast<T>(product >> 8 * sizeof(T));
    set_accumulator<T>(cpu, high, low);
    set_multiply_flags<host_flags::Mul, T>(cpu, insn, a, b, low, high != 0);
  }
};

template <class T>
Signed2<T> signed_product(T a, T b) {
  using Signed = std::make_signed_t<T>;
  return static_cast<Signed2<T>>(static_cast<Signed2<T>>(static_cast<Signed>(a)) *
                                 static_cast<Signed>(b));
}

template <class Place>
struct ImulAccumulator {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T a = cpu.reg<T>(Rax), b = Place::template get<T>(cpu, insn);
    const auto product = static_cast<Unsigned2<T>>(signed_product<T>(a, b));
    const T low = static_cast<T>(product), high = static_cast<T>(product >> 8 * sizeof(T));
    set_accumulator<T>(cpu, high, low);
    set_multiply_flags<host_flags::ImulAccumulator, T>(cpu, insn, a, b, low, high != sign_of(low));
  }
};

// dst = a * b, truncated; `First` and `Second` are where a and b come from.
template <class First, class Second>
struct ImulTruncated {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T a = First::template get<T>(cpu, insn), b = Second::template get<T>(cpu, insn);
    const auto product = static_cast<Unsigned2<T>>(signed_product<T>(a, b));
    const T low = static_cast<T>(product), high = static_cast<T>(product >> 8 * sizeof(T));
    cpu.set_reg<T>(insn.op[0].reg, low);
    if constexpr (sizeof(T) > 1)
      set_multiply_flags<host_flags::Imul, T>(cpu, insn, a, b, low, high != sign_of(low));
  }
};

Execute bind_imul(const Insn& insn) {
  const bool memory = insn.op[1].kind == OperandKind::Memory;
  if (insn.op[1].kind == OperandKind::None) return by_place<ImulAccumulator>(insn);
  if (insn.op[2].kind == OperandKind::Immediate)
    return memory ? by_size<ImulTruncated<InMemory, AsImmediate>>(insn)
                  : by_size<ImulTruncated<InRegister<1>, AsImmediate>>(insn);
  return memory ? by_size<ImulTruncated<InRegister<0>, InMemory>>(insn)
                : by_size<ImulTruncated<InRegister<0>, InRegister<1>>>(insn);
}

// MULX: high half in operand 0, low in operand 1, RDX times operand 2; no flags.
struct Mulx {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T source = insn.op[2].kind == OperandKind::Memory ? InMemory::get<T>(cpu, insn)
                                                            : cpu.reg<T>(insn.op[2].reg);
    const Unsigned2<T> product = static_cast<Unsigned2<T>>(cpu.reg<T>(Rdx)) * source;
    cpu.set_reg<T>(insn.op[1].reg, static_cast<T>(product));
    cpu.set_reg<T>(insn.op[0].reg, static_cast<T>(product >> 8 * sizeof(T)));
  }
};

// The flags are undefined after a division; here they stay.
template <class Place>
struct Div {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T divisor = Place::template get<T>(cpu, insn);
    const Unsigned2<T> dividend = accumulator<T>(cpu);
    if (divisor == 0 || static_cast<T>(dividend >> 8 * sizeof(T)) >= divisor) raise(Vector::De);
    set_accumulator<T>(cpu, static_cast<T>(dividend % divisor), static_cast<T>(dividend / divisor));
  }
};

template <class Place>
struct Idiv {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    using Signed = std::make_signed_t<T>;
    const auto divisor = static_cast<Signed>(Place::template get<T>(cpu, insn));
    const auto dividend = static_cast<Signed2<T>>(accumulator<T>(cpu));
    const auto least = static_cast<Signed2<T>>(Unsigned2<T>{1} << (16 * sizeof(T) - 1));
    if (divisor == 0 || (divisor == -1 && dividend == least)) raise(Vector::De);
    const auto quotient = static_cast<Signed2<T>>(dividend / divisor);
    if (quotient != static_cast<Signed>(quotient)) raise(Vector::De);
    set_accumulator<T>(cpu, static_cast<T>(dividend % divisor), static_cast<T>(quotient));
  }
};

// ---- Decimal adjustment (SDM vol. 2; not in 64-bit mode)

void set_decimal_flags(Cpu& cpu, u8 al, bool cf, bool af) {
  cpu.flags.set<u8>(al, false, false);
  cpu.flags.change(eflags::kCf | eflags::kAf, (cf ? eflags::kCf : 0) | (af ? eflags::kAf : 0));
}

template <int Sign>
void decimal_adjust(Cpu& cpu, const Insn&) {
  const u8 old = cpu.reg<u8>(Rax);
  const bool low = (old & 0xf) > 9 || cpu.flags.af();
  const bool high = old > 0x99 || cpu.flags.cf();
  u8 al = old;
  bool cf = high;
  if (low) {
    al = static_cast<u8>(al + Sign * 6);
    if (Sign < 0) cf = cf || old < 6;
  }
  if (high) al = static_cast<u8>(al + Sign * 0x60);
  cpu.set_reg<u8>(Rax, al);
  set_decimal_flags(cpu, al, cf, low);
}

template <int Sign>
void ascii_adjust(Cpu& cpu, const Insn&) {
  const bool adjust = (cpu.reg<u8>(Rax) & 0xf) > 9 || cpu.flags.af();
  if (adjust) cpu.set_reg<u16>(Rax, static_cast<u16>(cpu.reg<u16>(Rax) + Sign * 0x106));
  const u8 al = cpu.reg<u8>(Rax);
  cpu.set_reg<u8>(Rax, al & 0xf);
  set_decimal_flags(cpu, al & 0xf, adjust, adjust);
}

void aam(Cpu& cpu, const Insn& insn) {
  const u8 base = static_cast<u8>(insn.imm), al = cpu.reg<u8>(Rax);
  if (base == 0) raise(Vector::De);
  cpu.set_reg<u16>(Rax, static_cast<u16>(al / base << 8 | al % base));
  cpu.flags.set<u8>(al % base, false, false);
}

void aad(Cpu& cpu, const Insn& insn) {
  const u8 low = cpu.reg<u8>(Rax), added = static_cast<u8>(cpu.reg<u8>(kHighByte) * insn.imm);
  const u8 al = static_cast<u8>(low + added);
  cpu.set_reg<u16>(Rax, al);
  cpu.flags.set<u8>(al, false, false);
}

constexpr std::array kBindings = {
    Binding{"mul", &by_place<Mul>},
    Binding{"imul", &bind_imul},
    Binding{"mulx", [](const Insn& insn) { return by_size<Mulx>(insn); }},
    Binding{"div", &by_place<Div>},
    Binding{"idiv", &by_place<Idiv>},
    Binding{"daa", &always<&decimal_adjust<1>>},
    Binding{"das", &always<&decimal_adjust<-1>>},
    Binding{"aaa", &always<&ascii_adjust<1>>},
    Binding{"aas", &always<&ascii_adjust<-1>>},
    Binding{"aam", &always<&aam>},
    Binding{"aad", &always<&aad>},
};

}  // namespace

std::span<const Binding> muldiv_bindings() { return kBindings; }

}  // namespace rhea::x86::interp
