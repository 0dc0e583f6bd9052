// SPDX-License-Identifier: GPL-2.0-or-later
// Addition, subtraction and logic: ADD … XOR, CMP, TEST, INC, DEC, NEG, NOT, XADD, ADCX, ADOX.
#include "target/x86/interp/operand.h"

#include <array>

namespace rhea::x86::interp {
namespace {

/// The carries out of each bit of a + b (+ a carry in) = r.
template <class T>
T carries_of_sum(T a, T b, T r) {
  return static_cast<T>((a & b) | ((a | b) & ~r));
}
/// The borrows into each bit of a - b (- a borrow) = r.
template <class T>
T borrows_of_difference(T a, T b, T r) {
  return static_cast<T>((~a & b) | ((~a | b) & r));
}

struct Sum {
  static constexpr bool kWrites = true;
  template <class T>
  static void set_flags(Flags& flags, T a, T b, T r) {
    flags.set<T>(r, carries_of_sum(a, b, r));
  }
};
struct Difference {
  static constexpr bool kWrites = true;
  template <class T>
  static void set_flags(Flags& flags, T a, T b, T r) {
    flags.set<T>(r, borrows_of_difference(a, b, r));
  }
};
struct Logic {
  static constexpr bool kWrites = true;
  template <class T>
  static void set_flags(Flags& flags, T, T, T r) {
    flags.set_logic<T>(r);
  }
};

struct Add : Sum {
  template <class T>
  static T apply(T a, T b, bool) {
    return static_cast<T>(a + b);
  }
};
struct Adc : Sum {
  template <class T>
  static T apply(T a, T b, bool carry) {
    return static_cast<T>(a + b + carry);
  }
};
struct Sub : Difference {
  template <class T>
  static T apply(T a, T b, bool) {
    return static_cast<T>(a - b);
  }
};
struct Sbb : Difference {
  template <class T>
  static T apply(T a, T b, bool carry) {
    return static_cast<T>(a - b - carry);
  }
};
struct Cmp : Sub {
  static constexpr bool kWrites = false;
};
struct And : Logic {
  template <class T>
  static T apply(T a, T b, bool) {
    return a & b;
  }
};
struct Test : And {
  static constexpr bool kWrites = false;
};
struct Or : Logic {
  template <class T>
  static T apply(T a, T b, bool) {
    return a | b;
  }
};
struct Xor : Logic {
  template <class T>
  static T apply(T a, T b, bool) {
    return a ^ b;
  }
};

template <class Op>
constexpr bool kUsesCarry = std::is_same_v<Op, Adc> || std::is_same_v<Op, Sbb>;

template <class Op, class Dst, class Src>
struct Binary {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T b = Src::template get<T>(cpu, insn);
    const bool carry = kUsesCarry<Op> && cpu.flags.cf();
    T a;
    if constexpr (Op::kWrites)
      a = Dst::template modify<T>(cpu, insn, [&](T old) { return Op::apply(old, b, carry); });
    else
      a = Dst::template get<T>(cpu, insn);
    Op::template set_flags<T>(cpu.flags, a, b, Op::apply(a, b, carry));
  }
};

template <class Op>
Execute bind_binary(const Insn& insn) {
  using Reg0 = InRegister<0>;
  using Reg1 = InRegister<1>;
  const OperandKind source = insn.op[1].kind;
  if (insn.op[0].kind == OperandKind::Memory)
    return source == OperandKind::Immediate ? by_size<Binary<Op, InMemory, AsImmediate>>(insn)
                                            : by_size<Binary<Op, InMemory, Reg1>>(insn);
  if (source == OperandKind::Immediate) return by_size<Binary<Op, Reg0, AsImmediate>>(insn);
  if (source == OperandKind::Memory) return by_size<Binary<Op, Reg0, InMemory>>(insn);
  return by_size<Binary<Op, Reg0, Reg1>>(insn);
}

// INC and DEC leave CF alone.
template <class T>
void set_flags_but_carry(Flags& flags, T result, T carries) {
  constexpr unsigned top = 8 * sizeof(T) - 1;
  const bool of = ((carries ^ static_cast<T>(carries << 1)) >> top & 1) != 0;
  flags.set<T>(result, Flags::carry_bits<T>(flags.cf(), of, carries));
}

template <class Place>
struct Inc {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T a = Place::template modify<T>(cpu, insn, [](T old) { return static_cast<T>(old + 1); });
    const T r = static_cast<T>(a + 1);
    set_flags_but_carry<T>(cpu.flags, r, carries_of_sum<T>(a, 1, r));
  }
};

template <class Place>
struct Dec {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T a = Place::template modify<T>(cpu, insn, [](T old) { return static_cast<T>(old - 1); });
    const T r = static_cast<T>(a - 1);
    set_flags_but_carry<T>(cpu.flags, r, borrows_of_difference<T>(a, 1, r));
  }
};

template <class Place>
struct Neg {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T a = Place::template modify<T>(cpu, insn, [](T old) { return static_cast<T>(-old); });
    const T r = static_cast<T>(-a);
    cpu.flags.set<T>(r, borrows_of_difference<T>(0, a, r));
  }
};

template <class Place>
struct Not {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    Place::template modify<T>(cpu, insn, [](T old) { return static_cast<T>(~old); });
  }
};

template <class Place>
struct Xadd {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T b = cpu.reg<T>(insn.op[1].reg);
    const T a =
        Place::template modify<T>(cpu, insn, [b](T old) { return static_cast<T>(old + b); });
    const T r = static_cast<T>(a + b);
    cpu.set_reg<T>(insn.op[1].reg, a);
    // With one register as both operands the sum is what stays.
    if constexpr (std::is_same_v<Place, InRegister<0>>) cpu.set_reg<T>(insn.op[0].reg, r);
    cpu.flags.set<T>(r, carries_of_sum(a, b, r));
  }
};

// ADCX and ADOX: an addition whose carry lives in one flag and touches no other.
template <u64 Flag, class Src>
struct AddWithOneFlag {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T a = cpu.reg<T>(insn.op[0].reg), b = Src::template get<T>(cpu, insn);
    const bool carry = Flag == eflags::kCf ? cpu.flags.cf() : cpu.flags.of();
    T sum;
    const bool first = __builtin_add_overflow(a, b, &sum);
    const bool second = __builtin_add_overflow(sum, T{carry}, &sum);
    cpu.set_reg<T>(insn.op[0].reg, sum);
    cpu.flags.change(Flag, first || second ? Flag : 0);
  }
};

template <u64 Flag>
Execute bind_one_flag(const Insn& insn) {
  return insn.op[1].kind == OperandKind::Memory
             ? by_size<AddWithOneFlag<Flag, InMemory>>(insn)
             : by_size<AddWithOneFlag<Flag, InRegister<1>>>(insn);
}

constexpr std::array kBindings = {
    Binding{"add", &bind_binary<Add>},
    Binding{"or", &bind_binary<Or>},
    Binding{"adc", &bind_binary<Adc>},
    Binding{"sbb", &bind_binary<Sbb>},
    Binding{"and", &bind_binary<And>},
    Binding{"sub", &bind_binary<Sub>},
    Binding{"xor", &bind_binary<Xor>},
    Binding{"cmp", &bind_binary<Cmp>},
    Binding{"test", &bind_binary<Test>},
    Binding{"inc", &by_place<Inc>},
    Binding{"dec", &by_place<Dec>},
    Binding{"neg", &by_place<Neg>},
    Binding{"not", &by_place<Not>},
    Binding{"xadd", &by_place<Xadd>},
    Binding{"adcx", &bind_one_flag<eflags::kCf>},
    Binding{"adox", &bind_one_flag<eflags::kOf>},
};

}  // namespace

std::span<const Binding> alu_bindings() { return kBindings; }

}  // namespace rhea::x86::interp
