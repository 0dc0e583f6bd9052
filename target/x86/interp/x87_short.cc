// SPDX-License-Identifier: GPL-2.0-or-later
// The common x87 instructions on single registers, when all exceptions are masked and no register
// is empty or in the way; otherwise x87_any() does them.
#include "target/x86/interp/x87.h"
#include "target/x86/interp/x87_host.h"

#include <utility>

namespace rhea::x86::interp {
namespace {

using host::Format;

constexpr u16 kConditions = fsw::kC0 | fsw::kC1 | fsw::kC2 | fsw::kC3;

unsigned st_index(const Insn& insn) { return insn.modrm & 7; }

// ---- Arithmetic and comparison.

/// Which of ST(0) and ST(i) is the destination.
enum class Form : u8 { St0, StI, StIPop };

/// ADD, MUL, SUB, SUBR, DIV, DIVR, numbered as in ModRM.reg of D8: x becomes x op y, or y op x for
/// the reversed.
template <Form kForm, unsigned kOperation>
void arithmetic(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  X87& x87 = cpu.x87;
  const unsigned i = st_index(insn);
  if (!all_masked(x87) || !is_valid(x87, 0) || !is_valid(x87, i)) [[unlikely]]
    return x87_any(cpu, insn);
  const X87Register other = st(x87, kForm == Form::St0 ? i : 0);
  X87Register& destination = st(x87, kForm == Form::St0 ? 0 : i);
  const host::Control control(x87);
  take_status(x87, host::arithmetic<kOperation>(destination, other), fsw::kC1);
  if constexpr (kForm == Form::StIPop) pop_register(x87);
  set_x87_pointers(cpu, insn);
}

/// Likewise with a number in memory; 2 and 3 are FCOM and FCOMP.
template <Format kFormat, class T, unsigned kOperation>
void with_memory(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  X87& x87 = cpu.x87;
  if (!all_masked(x87) || !is_valid(x87, 0)) [[unlikely]]
    return x87_any(cpu, insn);
  const T number = cpu.read<T>(insn.seg, cpu.effective_address(insn));
  {
    const host::Control control(x87);
    if constexpr (kOperation == 2 || kOperation == 3)
      take_status(x87, host::compare_memory<kFormat>(st(x87, 0), number), kConditions);
    else
      take_status(x87, host::arithmetic_memory<kOperation, kFormat>(st(x87, 0), number), fsw::kC1);
  }
  if constexpr (kOperation == 3) pop_register(x87);
  set_x87_pointers(cpu, insn);
}

/// FCOM and FUCOM with `kPops` pops, or to EFLAGS.
template <unsigned kPops, bool kUnordered, bool kToEflags>
void compare(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  X87& x87 = cpu.x87;
  const unsigned i = st_index(insn);
  if (!all_masked(x87) || !is_valid(x87, 0) || !is_valid(x87, i)) [[unlikely]]
    return x87_any(cpu, insn);
  const host::Control control(x87);
  const u16 status = host::compare<kUnordered>(st(x87, 0), st(x87, i));
  take_status(x87, status, kToEflags ? u16{0} : kConditions);
  if constexpr (kToEflags) {
    if (host::fcomi_clears_c1()) x87.fsw &= static_cast<u16>(~fsw::kC1);
    cpu.flags.set_value(((status & fsw::kC0) != 0 ? eflags::kCf : 0) |
                        ((status & fsw::kC2) != 0 ? eflags::kPf : 0) |
                        ((status & fsw::kC3) != 0 ? eflags::kZf : 0));
  }
  for (unsigned n = 0; n < kPops; ++n) pop_register(x87);
  set_x87_pointers(cpu, insn);
}

/// F<operation>, for the eight operations of D8.
template <template <unsigned> class F>
Execute by_operation(unsigned operation) {
  constexpr std::array<Execute, 8> kAll{F<0>::run, F<1>::run, F<2>::run, F<3>::run,
                                        F<4>::run, F<5>::run, F<6>::run, F<7>::run};
  return kAll[operation];
}

template <Form kForm>
struct OnRegisters {
  // With ST(i) as the destination SUB and SUBR, DIV and DIVR have changed places; FCOM has none.
  static constexpr bool kToStI = kForm != Form::St0;
  template <unsigned kOperation>
  struct Of {
    static constexpr unsigned kActual = kToStI && kOperation >= 4 ? kOperation ^ 1 : kOperation;
    static constexpr bool kCompares = kOperation == 2 || kOperation == 3;
    static void run(Cpu& cpu, const Insn& insn) {
      if constexpr (kCompares && kToStI)
        x87_any(cpu, insn);
      else if constexpr (kCompares)
        compare<kOperation - 2, false, false>(cpu, insn);
      else
        arithmetic<kForm, kActual>(cpu, insn);
    }
  };
};

template <Format kFormat, class T>
struct OnMemory {
  template <unsigned kOperation>
  struct Of {
    static void run(Cpu& cpu, const Insn& insn) { with_memory<kFormat, T, kOperation>(cpu, insn); }
  };
};

// ---- Between registers.

/// FXCH ST(i); FCHS and FABS, where the low bits of ModRM say something else.
template <void (*kAction)(X87&, unsigned), bool kWithStI>
void on_registers(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  const unsigned i = kWithStI ? st_index(insn) : 0;
  if (!is_valid(cpu.x87, 0) || !is_valid(cpu.x87, i)) [[unlikely]]
    return x87_any(cpu, insn);
  kAction(cpu.x87, i);
  cpu.x87.fsw &= static_cast<u16>(~fsw::kC1);
  set_x87_pointers(cpu, insn);
}
void exchange(X87& x87, unsigned i) { std::swap(st(x87, 0), st(x87, i)); }
void change_sign(X87& x87, unsigned) { st(x87, 0).sign_exponent ^= 0x8000; }
void absolute(X87& x87, unsigned) { st(x87, 0).sign_exponent &= 0x7fff; }

void load_register(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  X87& x87 = cpu.x87;
  const unsigned i = st_index(insn);
  if (!is_valid(x87, i) || is_valid(x87, 7)) [[unlikely]]
    return x87_any(cpu, insn);
  const X87Register value = st(x87, i);
  push_register(x87, value);
  x87.fsw &= static_cast<u16>(~fsw::kC1);
  set_x87_pointers(cpu, insn);
}

template <bool kPop>
void store_register(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  X87& x87 = cpu.x87;
  if (!is_valid(x87, 0)) [[unlikely]]
    return x87_any(cpu, insn);
  const unsigned i = st_index(insn);
  st(x87, i) = st(x87, 0);
  x87.valid = static_cast<u8>(x87.valid | 1u << ((x87.top() + i) & 7));
  if constexpr (kPop) pop_register(x87);
  x87.fsw &= static_cast<u16>(~fsw::kC1);
  set_x87_pointers(cpu, insn);
}

template <u64 kSignificand, u16 kExponent>
void load_constant(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  if (is_valid(cpu.x87, 7)) [[unlikely]]
    return x87_any(cpu, insn);
  push_register(cpu.x87, {kSignificand, kExponent});
  cpu.x87.fsw &= static_cast<u16>(~fsw::kC1);
  set_x87_pointers(cpu, insn);
}

void square_root(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  X87& x87 = cpu.x87;
  if (!all_masked(x87) || !is_valid(x87, 0)) [[unlikely]]
    return x87_any(cpu, insn);
  const host::Control control(x87);
  take_status(x87, host::square_root(st(x87, 0)), fsw::kC1);
  set_x87_pointers(cpu, insn);
}

Execute bind_register_form(unsigned opcode, unsigned modrm) {
  const unsigned operation = modrm >> 3 & 7;
  switch (opcode << 8 | (modrm & 0xf8)) {
    case 0xd9c0: return &load_register;
    case 0xd9c8: return &on_registers<exchange, true>;
    case 0xdbe8: return &compare<0, true, true>;   // FUCOMI
    case 0xdbf0: return &compare<0, false, true>;  // FCOMI
    case 0xddd0: return &store_register<false>;
    case 0xddd8: return &store_register<true>;
    case 0xdde0: return &compare<0, true, false>;  // FUCOM
    case 0xdde8: return &compare<1, true, false>;  // FUCOMP
    case 0xdfe8: return &compare<1, true, true>;   // FUCOMIP
    case 0xdff0: return &compare<1, false, true>;  // FCOMIP
    default: break;
  }
  switch (opcode << 8 | modrm) {
    case 0xd9e0: return &on_registers<change_sign, false>;
    case 0xd9e1: return &on_registers<absolute, false>;
    case 0xd9e8: return &load_constant<u64{1} << 63, 0x3fff>;  // FLD1
    case 0xd9ee: return &load_constant<0, 0>;                  // FLDZ
    case 0xd9fa: return &square_root;
    case 0xdae9: return &compare<2, true, false>;   // FUCOMPP
    case 0xded9: return &compare<2, false, false>;  // FCOMPP
    default: break;
  }
  switch (opcode) {
    case 0xd8: return by_operation<OnRegisters<Form::St0>::Of>(operation);
    case 0xdc: return by_operation<OnRegisters<Form::StI>::Of>(operation);
    case 0xde: return by_operation<OnRegisters<Form::StIPop>::Of>(operation);
    default: return nullptr;
  }
}

Execute bind_arithmetic_memory(unsigned opcode, unsigned operation) {
  switch (opcode) {
    case 0xd8: return by_operation<OnMemory<Format::Float, u32>::Of>(operation);
    case 0xda: return by_operation<OnMemory<Format::Long, u32>::Of>(operation);
    case 0xdc: return by_operation<OnMemory<Format::Double, u64>::Of>(operation);
    case 0xde: return by_operation<OnMemory<Format::Short, u16>::Of>(operation);
    default: return nullptr;
  }
}

}  // namespace

Execute bind_x87_short(const Insn& insn) {
  if (insn.modrm >= 0xc0) return bind_register_form(insn.opcode, insn.modrm);
  const unsigned operation = insn.modrm >> 3 & 7;
  if (const Execute found = bind_arithmetic_memory(insn.opcode, operation)) return found;
  return bind_x87_move(insn);
}

}  // namespace rhea::x86::interp
