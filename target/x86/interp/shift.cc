// SPDX-License-Identifier: GPL-2.0-or-later
// Shifts and rotations. Flags that the SDM leaves undefined are what AMD and Intel processors give
// where these agree.
#include "target/x86/interp/host_flags.h"
#include "target/x86/interp/operand.h"
#include "target/x86/system/checks.h"

#include <array>

namespace rhea::x86::interp {
namespace {

template <class T>
constexpr unsigned kBits = 8 * sizeof(T);

template <class T>
bool top(T value) {
  return (value >> (kBits<T> - 1) & 1) != 0;
}

/// The count: CL or an immediate, masked to 5 bits, 6 for 64-bit operands.
template <class T>
unsigned count_of(Cpu& cpu, const Insn& insn, unsigned operand) {
  const u64 raw = insn.op[operand].kind == OperandKind::Immediate ? insn.imm : cpu.reg<u8>(Rcx);
  return static_cast<unsigned>(raw & (sizeof(T) == 8 ? 63 : 31));
}

bool host_flags_wanted() { return comparing::is(comparing::host_flags); }
u32 flags_before(const Cpu& cpu) { return host_flags_wanted() ? cpu.flags.value() : 0; }
/// `a` and what else the host's instruction takes, before the count.
template <class Host, class T, class... Operands>
void settle(Cpu& cpu, const Insn& insn, u32 before, unsigned n, Operands... operands) {
  if constexpr (sizeof(T) > 1 || sizeof...(Operands) == 1)
    if (host_flags_wanted()) [[unlikely]]
      settle_flags<Host>(cpu, before, undefined_flags(insn, n, kBits<T>), operands..., n);
}

// Counts above the width shift everything out; T is widened so that the shift is defined.
struct Shl {
  using Host = host_flags::Shl;
  template <class T>
  static T apply(T a, unsigned n) {
    return n >= kBits<T> ? T{0} : static_cast<T>(a << n);
  }
  template <class T>
  static void set_flags(Flags& flags, T a, unsigned n, T r) {
    const bool cf = n <= kBits<T> && (static_cast<u64>(a) >> (kBits<T> - n) & 1) != 0;
    flags.set<T>(r, cf, top(r) != cf);
  }
};
struct Shr {
  using Host = host_flags::Shr;
  template <class T>
  static T apply(T a, unsigned n) {
    return n >= kBits<T> ? T{0} : static_cast<T>(a >> n);
  }
  template <class T>
  static void set_flags(Flags& flags, T a, unsigned n, T r) {
    const bool cf = n <= kBits<T> && (a >> (n - 1) & 1) != 0;
    // The two top bits of the result: for a shift by one, whether the sign changed.
    flags.set<T>(r, cf, top(static_cast<T>(r ^ static_cast<T>(r << 1))));
  }
};
struct Sar {
  using Host = host_flags::Sar;
  template <class T>
  static T apply(T a, unsigned n) {
    using Signed = std::make_signed_t<T>;
    return static_cast<T>(static_cast<Signed>(a) >> std::min(n, kBits<T> - 1));
  }
  template <class T>
  static void set_flags(Flags& flags, T a, unsigned n, T r) {
    const bool cf = (apply(a, n - 1) & 1) != 0;
    flags.set<T>(r, cf, false);
  }
};

template <class Op, class Place>
struct Shift {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const unsigned n = count_of<T>(cpu, insn, 1);
    const T a = Place::template modify<T>(cpu, insn, [n](T old) { return Op::apply(old, n); });
    if (n == 0) return;
    const u32 before = flags_before(cpu);
    Op::template set_flags<T>(cpu.flags, a, n, Op::apply(a, n));
    settle<typename Op::Host, T>(cpu, insn, before, n, a);
  }
};

// ROL and ROR change only CF and OF; the count is taken modulo the width, but a masked count that
// is not zero still sets CF.
struct Rol {
  using Host = host_flags::Rol;
  template <class T>
  static T apply(T a, unsigned n) {
    return std::rotl(a, static_cast<int>(n % kBits<T>));
  }
  template <class T>
  static void set_flags(Flags& flags, T r) {
    const bool cf = (r & 1) != 0, of = top(r) != cf;
    flags.change(eflags::kCf | eflags::kOf, (cf ? eflags::kCf : 0) | (of ? eflags::kOf : 0));
  }
};
struct Ror {
  using Host = host_flags::Ror;
  template <class T>
  static T apply(T a, unsigned n) {
    return std::rotr(a, static_cast<int>(n % kBits<T>));
  }
  template <class T>
  static void set_flags(Flags& flags, T r) {
    const bool cf = top(r), of = cf != top(static_cast<T>(r << 1));
    flags.change(eflags::kCf | eflags::kOf, (cf ? eflags::kCf : 0) | (of ? eflags::kOf : 0));
  }
};

template <class Op, class Place>
struct Rotate {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const unsigned n = count_of<T>(cpu, insn, 1);
    const T a = Place::template modify<T>(cpu, insn, [n](T old) { return Op::apply(old, n); });
    if (n == 0) return;
    const u32 before = flags_before(cpu);
    Op::template set_flags<T>(cpu.flags, Op::apply(a, n));
    settle<typename Op::Host, T>(cpu, insn, before, n, a);
  }
};

/// A value of width + 1 bits, the carry on top, rotated left.
template <class T>
struct Through {
  T value;
  bool carry;
};
template <class T>
Through<T> rotate_through(T a, bool carry, unsigned n) {
  constexpr unsigned width = kBits<T> + 1;
  const u128 all = static_cast<u128>(carry) << kBits<T> | a;
  n %= width;
  if (n == 0) return {a, carry};
  const u128 turned = (all << n | all >> (width - n));
  return {static_cast<T>(turned), (turned >> kBits<T> & 1) != 0};
}

struct Rcl {
  using Host = host_flags::Rcl;
  template <class T>
  static Through<T> apply(T a, bool carry, unsigned n) {
    return rotate_through(a, carry, n);
  }
  template <class T>
  static bool overflow(T, const Through<T>& r) {
    return top(r.value) != r.carry;
  }
};
struct Rcr {
  using Host = host_flags::Rcr;
  template <class T>
  static Through<T> apply(T a, bool carry, unsigned n) {
    constexpr unsigned width = kBits<T> + 1;
    return rotate_through(a, carry, width - n % width);
  }
  template <class T>
  static bool overflow(T, const Through<T>& r) {
    return top(static_cast<T>(r.value ^ static_cast<T>(r.value << 1)));
  }
};

template <class Op, class Place>
struct RotateThrough {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const unsigned n = count_of<T>(cpu, insn, 1);
    const bool carry = cpu.flags.cf();
    const T a =
        Place::template modify<T>(cpu, insn, [=](T old) { return Op::apply(old, carry, n).value; });
    if (n == 0) return;
    const u32 before = flags_before(cpu);
    const Through<T> r = Op::apply(a, carry, n);
    cpu.flags.change(eflags::kCf | eflags::kOf,
                     (r.carry ? eflags::kCf : 0) | (Op::overflow(a, r) ? eflags::kOf : 0));
    // The carry is defined whatever the count.
    if (n > 1 && host_flags_wanted())
      settle_flags<typename Op::Host>(cpu, before, eflags::kOf, a, n);
  }
};

// SHLD and SHRD. A 16-bit count beyond 16 is undefined (SDM vol. 2, SHLD): in AMD's processors the
// source comes in twice and CF is clear, in Intel's the destination comes in behind the source and
// CF is the last bit of them to leave. OF beyond a count of 1 is undefined as well; here, as in SHL
// and SHR, it is what the last of so many shifts by one gives.
template <class T>
bool destination_comes_again(const Cpu& cpu, unsigned n) {
  return n > kBits<T> && !system::is_amd(cpu);
}
/// `c` comes in behind `b`.
template <class T>
T shift_left_double(T a, T b, T c, unsigned n) {
  if constexpr (sizeof(T) == 2) {
    const u64 all = u64{a} << 32 | u64{b} << 16 | c;
    return static_cast<T>(all << n >> 32);
  } else {
    return n == 0 ? a : static_cast<T>(a << n | b >> (kBits<T> - n));
  }
}
template <class T>
T shift_right_double(T a, T b, T c, unsigned n) {
  if constexpr (sizeof(T) == 2) {
    const u64 all = u64{c} << 32 | u64{b} << 16 | a;
    return static_cast<T>(all >> n);
  } else {
    return n == 0 ? a : static_cast<T>(a >> n | b << (kBits<T> - n));
  }
}

template <class Place>
struct Shld {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const unsigned n = count_of<T>(cpu, insn, 2);
    const T b = cpu.reg<T>(insn.op[1].reg);
    const bool again = destination_comes_again<T>(cpu, n);
    const auto shifted = [=](T old) { return shift_left_double(old, b, again ? old : b, n); };
    const T a = Place::template modify<T>(cpu, insn, shifted);
    if (n == 0) return;
    const u32 before = flags_before(cpu);
    const T r = shifted(a);
    const bool cf = again ? (b >> (2 * kBits<T> - n) & 1) != 0
                          : n <= kBits<T> && (a >> (kBits<T> - n) & 1) != 0;
    cpu.flags.set<T>(r, cf, cf != (n < kBits<T> && top(r)));
    settle<host_flags::Shld, T>(cpu, insn, before, n, a, b);
  }
};
template <class Place>
struct Shrd {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const unsigned n = count_of<T>(cpu, insn, 2);
    const T b = cpu.reg<T>(insn.op[1].reg);
    const bool again = destination_comes_again<T>(cpu, n);
    const auto shifted = [=](T old) { return shift_right_double(old, b, again ? old : b, n); };
    const T a = Place::template modify<T>(cpu, insn, shifted);
    if (n == 0) return;
    const u32 before = flags_before(cpu);
    const T r = shifted(a);
    const bool cf =
        again ? (b >> (n - 1 - kBits<T>)&1) != 0 : n <= kBits<T> && (a >> (n - 1) & 1) != 0;
    cpu.flags.set<T>(r, cf, top(static_cast<T>(r ^ static_cast<T>(r << 1))));
    settle<host_flags::Shrd, T>(cpu, insn, before, n, a, b);
  }
};

// SHLX, SHRX, SARX, RORX: no flags.
template <class Op, class Src>
struct WithoutFlags {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const unsigned n = static_cast<unsigned>(
        (insn.op[2].kind == OperandKind::Immediate ? insn.imm : cpu.gpr[insn.op[2].reg]) &
        (kBits<T> - 1));
    cpu.set_reg<T>(insn.op[0].reg, Op::apply(Src::template get<T>(cpu, insn), n));
  }
};

template <template <class, class> class Kind, class Op>
Execute bind_place(const Insn& insn) {
  return insn.op[0].kind == OperandKind::Memory ? by_size<Kind<Op, InMemory>>(insn)
                                                : by_size<Kind<Op, InRegister<0>>>(insn);
}
template <class Op>
Execute bind_without_flags(const Insn& insn) {
  return insn.op[1].kind == OperandKind::Memory ? by_size<WithoutFlags<Op, InMemory>>(insn)
                                                : by_size<WithoutFlags<Op, InRegister<1>>>(insn);
}

constexpr std::array kBindings = {
    Binding{"rol", &bind_place<Rotate, Rol>},
    Binding{"ror", &bind_place<Rotate, Ror>},
    Binding{"rcl", &bind_place<RotateThrough, Rcl>},
    Binding{"rcr", &bind_place<RotateThrough, Rcr>},
    Binding{"shl", &bind_place<Shift, Shl>},
    Binding{"sal", &bind_place<Shift, Shl>},
    Binding{"shr", &bind_place<Shift, Shr>},
    Binding{"sar", &bind_place<Shift, Sar>},
    Binding{"shld", &by_place<Shld>},
    Binding{"shrd", &by_place<Shrd>},
    Binding{"shlx", &bind_without_flags<Shl>},
    Binding{"shrx", &bind_without_flags<Shr>},
    Binding{"sarx", &bind_without_flags<Sar>},
    Binding{"rorx", &bind_without_flags<Ror>},
};

}  // namespace

std::span<const Binding> shift_bindings() { return kBindings; }

}  // namespace rhea::x86::interp
