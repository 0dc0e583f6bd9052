// SPDX-License-Identifier: GPL-2.0-or-later
// Single bits, bit scans and counts, BMI1 and BMI2, CRC32, BSWAP.
#include "target/x86/interp/host_flags.h"
#include "target/x86/interp/operand.h"

#include <array>

namespace rhea::x86::interp {
namespace {

/// Runs `set`, which sets the flags behind an instruction; those that it leaves undefined are then
/// the host's, if somebody wants them (host_flags.h) and the host has the instruction.
template <class Host, class T, class Set>
void set_defined(Cpu& cpu, const Insn& insn, bool host_has, T a, T b, Set set) {
  const bool ask_host = comparing::is(comparing::host_flags) && host_has;
  const u32 before = ask_host ? cpu.flags.value() : 0;
  set();
  if constexpr (sizeof(T) > 1)
    if (ask_host) [[unlikely]]
      settle_flags<Host>(cpu, before, undefined_flags(insn), a, b);
}

// BT and its kin: with a register index the bit may lie far from the memory operand.
struct Set {
  template <class T>
  static T apply(T word, T bit) {
    return word | bit;
  }
};
struct Reset {
  template <class T>
  static T apply(T word, T bit) {
    return static_cast<T>(word & ~bit);
  }
};
struct Complement {
  template <class T>
  static T apply(T word, T bit) {
    return word ^ bit;
  }
};
struct Keep {};

template <class Op>
struct BitTest {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    using Signed = std::make_signed_t<T>;
    const bool immediate = insn.op[1].kind == OperandKind::Immediate;
    const T index = immediate ? static_cast<T>(insn.imm) : cpu.reg<T>(insn.op[1].reg);
    const T bit = static_cast<T>(T{1} << (index % (8 * sizeof(T))));
    T old;
    if (insn.op[0].kind == OperandKind::Memory) {
      u64 offset = cpu.effective_address(insn);
      if (!immediate) {
        const i64 words = static_cast<Signed>(index) >> (std::bit_width(8 * sizeof(T)) - 1);
        offset = (offset + static_cast<u64>(words) * sizeof(T)) & Cpu::size_mask(insn.address_size);
      }
      if constexpr (std::is_same_v<Op, Keep>)
        old = cpu.read<T>(insn.seg, offset);
      else
        old = cpu.modify<T>(insn.seg, offset, insn.has(kLock),
                            [=](T word) { return Op::apply(word, bit); });
    } else {
      old = cpu.reg<T>(insn.op[0].reg);
      if constexpr (!std::is_same_v<Op, Keep>) cpu.set_reg<T>(insn.op[0].reg, Op::apply(old, bit));
    }
    set_defined<host_flags::Bt, T>(cpu, insn, true, old, index, [&] {
      cpu.flags.change(eflags::kCf, (old & bit) != 0 ? eflags::kCf : 0);
    });
  }
};

// With a zero source BSF and BSR leave the destination alone (AMD APM vol. 3; Intel's do too). The
// flags beside ZF are undefined.
template <bool Forward, class Src>
struct BitScan {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T value = Src::template get<T>(cpu, insn);
    using Host = std::conditional_t<Forward, host_flags::Bsf, host_flags::Bsr>;
    set_defined<Host, T>(cpu, insn, true, cpu.reg<T>(insn.op[0].reg), value,
                         [&] { cpu.flags.change(eflags::kZf, value == 0 ? eflags::kZf : 0); });
    if (value == 0) return;
    const int at = Forward ? std::countr_zero(value) : std::bit_width(value) - 1;
    cpu.set_reg<T>(insn.op[0].reg, static_cast<T>(at));
  }
};

template <bool Trailing, class Src>
struct CountZeros {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T value = Src::template get<T>(cpu, insn);
    const T count = static_cast<T>(Trailing ? std::countr_zero(value) : std::countl_zero(value));
    cpu.set_reg<T>(insn.op[0].reg, count);
    using Host = std::conditional_t<Trailing, host_flags::Tzcnt, host_flags::Lzcnt>;
    const translating::HostCpu& host = translating::host_cpu();
    set_defined<Host, T>(cpu, insn, Trailing ? host.bmi1 : host.lzcnt, T{0}, value, [&] {
      cpu.flags.change(eflags::kCf | eflags::kZf,
                       (value == 0 ? eflags::kCf : 0) | (count == 0 ? eflags::kZf : 0));
    });
  }
};

template <class Src>
struct PopulationCount {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T value = Src::template get<T>(cpu, insn);
    cpu.set_reg<T>(insn.op[0].reg, static_cast<T>(std::popcount(value)));
    cpu.flags.set_value(value == 0 ? eflags::kZf : 0);
  }
};

// ---- BMI1: operand 0 from operand 1 alone

template <class T>
void set_bmi_flags(Cpu& cpu, T result, bool cf) {
  cpu.flags.set<T>(result, cf, false);
}

struct Blsr {
  using Host = host_flags::Blsr;
  template <class T>
  static void apply(Cpu& cpu, unsigned to, T s) {
    const T r = static_cast<T>(s & (s - 1));
    cpu.set_reg<T>(to, r);
    set_bmi_flags<T>(cpu, r, s == 0);
  }
};
struct Blsmsk {
  using Host = host_flags::Blsmsk;
  template <class T>
  static void apply(Cpu& cpu, unsigned to, T s) {
    const T r = static_cast<T>(s ^ (s - 1));
    cpu.set_reg<T>(to, r);
    set_bmi_flags<T>(cpu, r, s == 0);
  }
};
struct Blsi {
  using Host = host_flags::Blsi;
  template <class T>
  static void apply(Cpu& cpu, unsigned to, T s) {
    const T r = static_cast<T>(s & -s);
    cpu.set_reg<T>(to, r);
    set_bmi_flags<T>(cpu, r, s != 0);
  }
};
template <class Op, class Src>
struct LowestBit {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const T value = Src::template get<T>(cpu, insn);
    const auto apply = [&] { Op::template apply<T>(cpu, insn.op[0].reg, value); };
    if constexpr (sizeof(T) >= 4)
      set_defined<typename Op::Host, T>(cpu, insn, translating::host_cpu().bmi1, 0, value, apply);
  }
};

// ---- BMI of three operands

struct Andn {
  using Host = host_flags::Andn;
  template <class T>
  static void apply(Cpu& cpu, unsigned to, T first, T second) {
    const T r = static_cast<T>(~first & second);
    cpu.set_reg<T>(to, r);
    set_bmi_flags<T>(cpu, r, false);
  }
};
// Source, then control.
struct Bextr {
  using Host = host_flags::Bextr;
  template <class T>
  static void apply(Cpu& cpu, unsigned to, T source, T control) {
    const unsigned start = control & 0xff, length = control >> 8 & 0xff;
    T r = start < 8 * sizeof(T) ? static_cast<T>(source >> start) : T{0};
    if (length < 8 * sizeof(T)) r = static_cast<T>(r & ((T{1} << length) - 1));
    cpu.set_reg<T>(to, r);
    cpu.flags.set_value(r == 0 ? eflags::kZf : 0);
  }
};
struct Bzhi {
  using Host = host_flags::Bzhi;
  template <class T>
  static void apply(Cpu& cpu, unsigned to, T source, T control) {
    const unsigned n = control & 0xff;
    const bool beyond = n >= 8 * sizeof(T);
    const T r = beyond ? source : static_cast<T>(source & ((T{1} << n) - 1));
    cpu.set_reg<T>(to, r);
    set_bmi_flags<T>(cpu, r, beyond);
  }
};
struct Pdep {
  template <class T>
  static void apply(Cpu& cpu, unsigned to, T source, T mask) {
    T r = 0;
    for (; mask != 0; mask = static_cast<T>(mask & (mask - 1)), source >>= 1)
      if ((source & 1) != 0) r = static_cast<T>(r | (mask & -mask));
    cpu.set_reg<T>(to, r);
  }
};
struct Pext {
  template <class T>
  static void apply(Cpu& cpu, unsigned to, T source, T mask) {
    T r = 0;
    for (unsigned at = 0; mask != 0; mask = static_cast<T>(mask & (mask - 1)), ++at)
      if ((source & mask & -mask) != 0) r = static_cast<T>(r | T{1} << at);
    cpu.set_reg<T>(to, r);
  }
};

/// Operands 1 and 2, either of which may be the memory operand.
template <class Op>
struct ThreeOperands {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const auto get = [&](unsigned n) {
      return insn.op[n].kind == OperandKind::Memory ? InMemory::get<T>(cpu, insn)
                                                    : cpu.reg<T>(insn.op[n].reg);
    };
    const T first = get(1), second = get(2);
    const auto apply = [&] { Op::template apply<T>(cpu, insn.op[0].reg, first, second); };
    const translating::HostCpu& host = translating::host_cpu();
    if constexpr (requires { typename Op::Host; } && sizeof(T) >= 4)
      set_defined<typename Op::Host, T>(cpu, insn, host.bmi1 && host.bmi2, first, second, apply);
    else
      apply();
  }
};

// ---- CRC-32C (polynomial 0x11edc6f41, reflected)

constexpr std::array<u32, 256> kCrcTable = [] {
  std::array<u32, 256> table{};
  for (u32 byte = 0; byte < 256; ++byte) {
    u32 crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
    table[byte] = crc;
  }
  return table;
}();

template <class Src>
struct Crc32 {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    T data = Src::template get<T>(cpu, insn);
    u32 crc = cpu.reg<u32>(insn.op[0].reg);
    for (unsigned i = 0; i < sizeof(T); ++i) {
      crc = kCrcTable[(crc ^ data) & 0xff] ^ crc >> 8;
      if constexpr (sizeof(T) > 1) data = static_cast<T>(data >> 8);
    }
    cpu.set_reg<u32>(insn.op[0].reg, crc);
  }
};

// A 16-bit BSWAP is undefined; processors clear the register's low word.
struct ByteSwap {
  template <class T>
  static void run(Cpu& cpu, const Insn& insn) {
    const unsigned reg = insn.op[0].reg;
    if constexpr (sizeof(T) == 8)
      cpu.set_reg<u64>(reg, __builtin_bswap64(cpu.reg<u64>(reg)));
    else if constexpr (sizeof(T) == 4)
      cpu.set_reg<u32>(reg, __builtin_bswap32(cpu.reg<u32>(reg)));
    else
      cpu.set_reg<T>(reg, 0);
  }
};

template <template <class> class F>
Execute by_source(const Insn& insn) {
  return insn.op[1].kind == OperandKind::Memory ? by_size<F<InMemory>>(insn)
                                                : by_size<F<InRegister<1>>>(insn);
}
// The size of CRC32 is its source's.
Execute bind_crc32(const Insn& insn) {
  return insn.op[1].kind == OperandKind::Memory ? by_size<Crc32<InMemory>>(insn, 1)
                                                : by_size<Crc32<InRegister<1>>>(insn, 1);
}
template <class Src>
using ScanForward = BitScan<true, Src>;
template <class Src>
using ScanReverse = BitScan<false, Src>;
template <class Src>
using CountTrailing = CountZeros<true, Src>;
template <class Src>
using CountLeading = CountZeros<false, Src>;
template <class Src>
using ResetLowest = LowestBit<Blsr, Src>;
template <class Src>
using MaskLowest = LowestBit<Blsmsk, Src>;
template <class Src>
using IsolateLowest = LowestBit<Blsi, Src>;

template <class F>
Execute sized(const Insn& insn) {
  return by_size<F>(insn);
}

constexpr std::array kBindings = {
    Binding{"bt", &sized<BitTest<Keep>>},
    Binding{"bts", &sized<BitTest<Set>>},
    Binding{"btr", &sized<BitTest<Reset>>},
    Binding{"btc", &sized<BitTest<Complement>>},
    Binding{"bsf", &by_source<ScanForward>},
    Binding{"bsr", &by_source<ScanReverse>},
    Binding{"tzcnt", &by_source<CountTrailing>},
    Binding{"lzcnt", &by_source<CountLeading>},
    Binding{"popcnt", &by_source<PopulationCount>},
    Binding{"blsr", &by_source<ResetLowest>},
    Binding{"blsmsk", &by_source<MaskLowest>},
    Binding{"blsi", &by_source<IsolateLowest>},
    Binding{"andn", &sized<ThreeOperands<Andn>>},
    Binding{"bextr", &sized<ThreeOperands<Bextr>>},
    Binding{"bzhi", &sized<ThreeOperands<Bzhi>>},
    Binding{"pdep", &sized<ThreeOperands<Pdep>>},
    Binding{"pext", &sized<ThreeOperands<Pext>>},
    Binding{"crc32", &bind_crc32},
    Binding{"bswap", &sized<ByteSwap>},
};

}  // namespace

std::span<const Binding> bit_bindings() { return kBindings; }

}  // namespace rhea::x86::interp
