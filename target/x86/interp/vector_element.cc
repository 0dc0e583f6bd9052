// SPDX-License-Identifier: GPL-2.0-or-later
// Vector instructions that touch memory element by element: MASKMOV and gathers.
#include "target/x86/interp/vector.h"
#include "target/x86/interp/vector_operand.h"
#include "target/x86/interp/vector_special.h"
#include "target/x86/isa/row.h"

#include <utility>

namespace rhea::x86::interp {
namespace {

template <class T>
T element(const VectorRegister& from, unsigned n) {
  T value;
  std::memcpy(&value, from.bytes() + n * sizeof(T), sizeof value);
  return value;
}

template <class T>
void set_element(VectorRegister& to, unsigned n, T value) {
  std::memcpy(to.bytes() + n * sizeof(T), &value, sizeof value);
}

template <class T>
bool selected(const VectorRegister& mask, unsigned n) {
  return static_cast<std::make_signed_t<T>>(element<T>(mask, n)) < 0;
}

unsigned vector_size(const Insn& insn) { return insn.has(kVexL) ? 32 : 16; }

/// Stores the bytes of `data` that `mask` selects at DS:rDI; all pages are looked at first.
void store_bytes(Cpu& cpu, const Insn& insn, const VectorRegister& data, const VectorRegister& mask,
                 unsigned count) {
  const unsigned segment = insn.seg == kNoSegment ? unsigned{Ds} : insn.seg;
  const u64 start = cpu.gpr[Rdi];
  const auto offset = [&](unsigned n) { return (start + n) & Cpu::size_mask(insn.address_size); };
  for (unsigned n = 0; n < count; ++n)
    if (selected<u8>(mask, n)) cpu.probe_write(segment, offset(n), 1);
  for (unsigned n = 0; n < count; ++n)
    if (selected<u8>(mask, n)) cpu.write(segment, offset(n), element<u8>(data, n));
}

void maskmovq(Cpu& cpu, const Insn& insn) {
  check_mmx(cpu);
  VectorRegister data, mask;
  data.q[0] = cpu.x87.reg[insn.op[0].reg & 7].significand;
  mask.q[0] = cpu.x87.reg[insn.op[1].reg & 7].significand;
  store_bytes(cpu, insn, data, mask, 8);
  enter_mmx(cpu);
}

template <bool kVex>
void maskmovdqu(Cpu& cpu, const Insn& insn) {
  kVex ? check_avx(cpu) : check_sse(cpu);
  store_bytes(cpu, insn, cpu.ymm[insn.op[0].reg], cpu.ymm[insn.op[1].reg], 16);
}

/// Elements that are masked off read as zero and are not looked at in memory.
template <class T>
void masked_load(Cpu& cpu, const Insn& insn) {
  check_avx(cpu);
  const VectorRegister& mask = cpu.ymm[insn.op[1].reg];
  const u64 start = cpu.effective_address(insn);
  VectorRegister result;
  for (unsigned n = 0; n < vector_size(insn) / sizeof(T); ++n)
    if (selected<T>(mask, n))
      set_element(
          result, n,
          cpu.read<T>(insn.seg, (start + n * sizeof(T)) & Cpu::size_mask(insn.address_size)));
  cpu.ymm[insn.op[0].reg] = result;
}

template <class T>
void masked_store(Cpu& cpu, const Insn& insn) {
  check_avx(cpu);
  const VectorRegister& mask = cpu.ymm[insn.op[1].reg];
  const VectorRegister& data = cpu.ymm[insn.op[2].reg];
  const u64 start = cpu.effective_address(insn);
  const auto offset = [&](unsigned n) {
    return (start + n * sizeof(T)) & Cpu::size_mask(insn.address_size);
  };
  const unsigned count = vector_size(insn) / sizeof(T);
  for (unsigned n = 0; n < count; ++n)
    if (selected<T>(mask, n)) cpu.probe_write(insn.seg, offset(n), sizeof(T));
  for (unsigned n = 0; n < count; ++n)
    if (selected<T>(mask, n)) cpu.write(insn.seg, offset(n), element<T>(data, n));
}

/// Elements arrive one by one and take their mask with them, so that the instruction goes on behind
/// them after a fault (SDM vol. 2, VGATHERDPD). `Index` and `T` are the index's and data's types.
template <class Index, class T>
void gather(Cpu& cpu, const Insn& insn) {
  check_avx(cpu);
  const unsigned to = insn.op[0].reg, masks = insn.op[2].reg;
  if (to == insn.index || to == masks || masks == insn.index) raise(Vector::Ud);
  VectorRegister& result = cpu.ymm[to];
  VectorRegister& mask = cpu.ymm[masks];
  const VectorRegister& indices = cpu.ymm[insn.index];
  const auto count = static_cast<unsigned>(vector_size(insn) / std::max(sizeof(T), sizeof(Index)));
  for (unsigned n = 0; n < count; ++n) set_element(mask, n, selected<T>(mask, n) ? ~T{0} : T{0});
  for (unsigned n = 0; n < count; ++n) {
    if (!selected<T>(mask, n)) continue;
    const auto index = static_cast<u64>(i64{element<Index>(indices, n)});
    const u64 sum = cpu.gpr[insn.base] + (index << insn.scale) + static_cast<u64>(i64{insn.disp});
    set_element(result, n, cpu.read<T>(insn.seg, sum & Cpu::size_mask(insn.address_size)));
    set_element(mask, n, T{0});
  }
  const size_t filled = count * sizeof(T);
  std::memset(result.bytes() + filled, 0, sizeof result - filled);
  mask = {};
}

template <class T>
Execute bind_masked(const Insn& insn) {
  return insn.op[0].kind == OperandKind::Memory ? &masked_store<T> : &masked_load<T>;
}

}  // namespace

Execute bind_element_move(const Insn& insn) {
  const std::string_view name = isa::rows()[insn.row].mnemonic;
  if (name == "maskmovq") return &maskmovq;
  if (name == "maskmovdqu") return &maskmovdqu<false>;
  if (name == "vmaskmovdqu") return &maskmovdqu<true>;
  if (name == "vmaskmovps" || name == "vpmaskmovd") return bind_masked<u32>(insn);
  if (name == "vmaskmovpd" || name == "vpmaskmovq") return bind_masked<u64>(insn);
  if (name == "vgatherdps" || name == "vpgatherdd") return &gather<i32, u32>;
  if (name == "vgatherdpd" || name == "vpgatherdq") return &gather<i32, u64>;
  if (name == "vgatherqps" || name == "vpgatherqd") return &gather<i64, u32>;
  if (name == "vgatherqpd" || name == "vpgatherqq") return &gather<i64, u64>;
  return nullptr;
}

Execute bind_special_vector(Insn& insn) {
  if (const Execute move = bind_vector_move(insn)) return move;
  return bind_element_move(insn);
}

/// Those the table does not call native.
std::span<const Binding> vector_bindings() {
  static constexpr Binding kAll[] = {
      {"maskmovq", bind_element_move},    {"maskmovdqu", bind_element_move},
      {"vmaskmovdqu", bind_element_move}, {"vmaskmovps", bind_element_move},
      {"vmaskmovpd", bind_element_move},  {"vpmaskmovd", bind_element_move},
      {"vpmaskmovq", bind_element_move},  {"vgatherdps", bind_element_move},
      {"vgatherdpd", bind_element_move},  {"vgatherqps", bind_element_move},
      {"vgatherqpd", bind_element_move},  {"vpgatherdd", bind_element_move},
      {"vpgatherdq", bind_element_move},  {"vpgatherqd", bind_element_move},
      {"vpgatherqq", bind_element_move},
  };
  return kAll;
}

}  // namespace rhea::x86::interp
