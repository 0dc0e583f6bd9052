// SPDX-License-Identifier: GPL-2.0-or-later
// Loads and stores of ST(0) in all formats but BCD, the short way.
#include "target/x86/interp/x87_host.h"

namespace rhea::x86::interp {
namespace {

using host::Format;
using host::Rounding;

void finish_load(Cpu& cpu, const Insn& insn, const X87Register& value) {
  push_register(cpu.x87, value);
  cpu.x87.fsw &= static_cast<u16>(~fsw::kC1);
  set_x87_pointers(cpu, insn);
}

template <Format kFormat>
void load_number(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  X87& x87 = cpu.x87;
  if (!all_masked(x87) || is_valid(x87, 7)) [[unlikely]]
    return x87_any(cpu, insn);
  const u64 offset = cpu.effective_address(insn);
  X87Register value;
  u16 status;
  if constexpr (kFormat == Format::Float) {
    const u32 bits = cpu.read<u32>(insn.seg, offset);
    const host::Control control(x87);
    status = host::load_float(bits, value);
  } else {
    const u64 bits = cpu.read<u64>(insn.seg, offset);
    const host::Control control(x87);
    status = host::load_double(bits, value);
  }
  take_status(x87, status, 0);
  finish_load(cpu, insn, value);
}

template <class T>
void load_integer(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  if (is_valid(cpu.x87, 7)) [[unlikely]]
    return x87_any(cpu, insn);
  X87Register value;
  host::load_integer(
      static_cast<T>(cpu.read<std::make_unsigned_t<T>>(insn.seg, cpu.effective_address(insn))),
      value);
  finish_load(cpu, insn, value);
}

void load_extended(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  if (is_valid(cpu.x87, 7)) [[unlikely]]
    return x87_any(cpu, insn);
  std::array<u8, 10> bytes;
  cpu.read_bytes(insn.seg, cpu.effective_address(insn), bytes.data(), bytes.size());
  finish_load(cpu, insn, register_at(bytes.data()));
}

template <class T, Format kFormat, bool kPop, Rounding kRounding = Rounding::Control>
void store_number(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  X87& x87 = cpu.x87;
  if (!all_masked(x87) || !is_valid(x87, 0)) [[unlikely]]
    return x87_any(cpu, insn);
  T value;
  u16 status;
  {
    const host::Control control(x87);
    status = host::store<kFormat, kRounding>(st(x87, 0), value);
  }
  cpu.write<T>(insn.seg, cpu.effective_address(insn), value);
  take_status(x87, status, fsw::kC1);
  if constexpr (kPop) pop_register(x87);
  set_x87_pointers(cpu, insn);
}

void store_extended(Cpu& cpu, const Insn& insn) {
  check_x87(cpu);
  X87& x87 = cpu.x87;
  if (!is_valid(x87, 0)) [[unlikely]]
    return x87_any(cpu, insn);
  cpu.write_bytes(insn.seg, cpu.effective_address(insn), &st(x87, 0), 10);
  pop_register(x87);
  x87.fsw &= static_cast<u16>(~fsw::kC1);
  set_x87_pointers(cpu, insn);
}

}  // namespace

Execute bind_x87_move(const Insn& insn) {
  switch (insn.opcode << 4 | (insn.modrm >> 3 & 7)) {
    case 0xd90: return &load_number<Format::Float>;
    case 0xd92: return &store_number<u32, Format::Float, false>;
    case 0xd93: return &store_number<u32, Format::Float, true>;
    case 0xdb0: return &load_integer<i32>;
    case 0xdb1: return &store_number<u32, Format::Long, true, Rounding::Truncate>;
    case 0xdb2: return &store_number<u32, Format::Long, false>;
    case 0xdb3: return &store_number<u32, Format::Long, true>;
    case 0xdb5: return &load_extended;
    case 0xdb7: return &store_extended;
    case 0xdd0: return &load_number<Format::Double>;
    case 0xdd1: return &store_number<u64, Format::Quad, true, Rounding::Truncate>;
    case 0xdd2: return &store_number<u64, Format::Double, false>;
    case 0xdd3: return &store_number<u64, Format::Double, true>;
    case 0xdf0: return &load_integer<i16>;
    case 0xdf1: return &store_number<u16, Format::Short, true, Rounding::Truncate>;
    case 0xdf2: return &store_number<u16, Format::Short, false>;
    case 0xdf3: return &store_number<u16, Format::Short, true>;
    case 0xdf5: return &load_integer<i64>;
    case 0xdf7: return &store_number<u64, Format::Quad, true>;
    default: return nullptr;
  }
}

}  // namespace rhea::x86::interp
