// SPDX-License-Identifier: GPL-2.0-or-later
// Vector instructions and MMX: the host executes the guest's own, on the same vector registers.
// General registers and memory operands are those of the register map; the rest of the encoding
// comes from the row.
#include "target/x86/interp/native_form.h"
#include "target/x86/interp/native_thunk.h"
#include "target/x86/translate/host_cpu.h"
#include "target/x86/translate/translator.h"

#include <algorithm>
#include <array>
#include <vector>

namespace rhea::x86::translating {
namespace {

using interp::kPlaces;
using interp::Place;
using isa::Method;

constexpr unsigned at(Place place) { return static_cast<unsigned>(place); }

bool has(const isa::Row& row, std::initializer_list<Method> methods) {
  return std::ranges::any_of(row.operand, [&](const isa::OperandSpec& spec) {
    return std::ranges::find(methods, spec.method) != methods.end();
  });
}

/// A store past the caches is made through them: its order would be weaker than what the
/// processor's other parts, which are C++ code, rely on.
u8 opcode_of(const isa::Row& row) {
  if (row.map != isa::Map::Map0f || row.operand[0].method != Method::M) return row.opcode;
  const bool scalar =
      row.prefix == isa::MandatoryPrefix::PF3 || row.prefix == isa::MandatoryPrefix::PF2;
  if (row.opcode == 0x2b) return scalar ? 0x11 : 0x29;
  return row.opcode == 0xe7 ? u8{0x7f} : row.opcode;
}

/// What a row says, worked out once.
struct VectorRow {
  u8 opcode{};
  bool aligned{}, wide_by_operand_size{};
  bool masked{};  ///< reaches only what a mask says
  explicit VectorRow(const isa::Row& row)
      : opcode(opcode_of(row)),
        aligned(interp::alignment_of(row, 16) > 1),
        wide_by_operand_size(interp::wide_by_operand_size(row)),
        masked(std::string_view(row.mnemonic).contains("maskmov")) {}
};

const VectorRow& vector_row(unsigned number) {
  static const std::vector<VectorRow> all(isa::rows().begin(), isa::rows().end());
  return all[number];
}

/// An instruction as far as its encoding goes.
struct Encoding {
  const isa::Row* row{};
  u8 opcode{};
  unsigned reg{}, rm{}, vvvv{};
  Mem memory;
  bool in_memory{}, wide{}, vex_l{};
};

void put_opcode(Assembler& a, const Encoding& e, const auto& rm) {
  const isa::Row& row = *e.row;
  const unsigned prefix =
      row.prefix == isa::MandatoryPrefix::Np ? 0 : static_cast<unsigned>(row.prefix);
  if (row.vex)
    return a.vex({.byte = e.opcode,
                  .map = static_cast<u8>(row.map),
                  .pp = static_cast<u8>(prefix),
                  .w = e.wide,
                  .l = e.vex_l},
                 e.reg, e.vvvv, rm);
  constexpr std::array<u8, 4> kPrefixes{0, 0x66, 0xf3, 0xf2};
  a.op(e.wide ? 8 : 4,
       {.byte = e.opcode,
        .map = static_cast<Opcode::Map>(row.map),
        .prefix = kPrefixes[prefix],
        .digit = row.extension >= 0},
       e.reg, rm);
}

void put_immediates(Assembler& a, const Insn& insn, unsigned is4) {
  const auto immediates = std::ranges::count(insn.op, OperandKind::Immediate, &Operand::kind);
  if (is4 < 16)
    a.imm(is4 << 4, 1);
  else if (immediates > 0)
    a.imm(insn.imm & 0xff, 1);
  if (immediates > 1) a.imm(insn.imm2 & 0xff, 1);  // EXTRQ, INSERTQ
}

bool vector(Translator& t, const Insn& insn) {
  if (insn.memory() && !t.reaches(insn)) return false;
  const isa::Row& row = isa::rows()[insn.row];
  constexpr unsigned kNone = 16;
  std::array<unsigned, kPlaces> reg{0, 0, 0, kNone};
  Encoding e;
  const VectorRow& facts = vector_row(insn.row);
  e.row = &row;
  e.opcode = facts.opcode;
  e.wide = facts.wide_by_operand_size ? insn.operand_size == 8 : insn.has(kRexW);
  e.vex_l = row.vex && insn.has(kVexL);
  u8 general = kNoReg;  // a destination
  for (unsigned n = 0; n < insn.op.size(); ++n) {
    const Operand& op = insn.op[n];
    const unsigned place = interp::place_of(row.operand[n].method);
    if (op.kind == OperandKind::Memory) {
      e.in_memory = true;
      e.memory = t.memory(
          insn, {.size = op.size, .write = n == 0, .aligned = facts.aligned && op.size >= 16},
          facts.masked ? Reach::Unknown : Reach::Operand);
    } else if (op.kind == OperandKind::Vector) {
      reg[place] = op.reg;
    } else if (op.kind == OperandKind::Mmx) {
      reg[place] = op.reg & 7U;
    } else if (op.kind == OperandKind::Gpr && n == 0) {
      general = op.reg;
      reg[place] = t.result(op.reg, kScratch0, op.size == 8 ? 8 : 4, false);
    } else if (op.kind == OperandKind::Gpr) {
      reg[place] = t.value(op.reg, kScratch0);
    }
  }
  e.reg = row.extension >= 0 ? static_cast<unsigned>(row.extension) : reg[at(Place::Reg)];
  e.vvvv = reg[at(Place::Vvvv)];
  if (e.in_memory)
    put_opcode(t.a, e, e.memory);
  else
    put_opcode(t.a, e, reg[at(Place::Rm)]);
  put_immediates(t.a, insn, reg[at(Place::Is4)]);
  if (general != kNoReg) t.finish(general, kScratch0);
  if (row.flags.writes != 0) t.flags_set();
  return true;
}

// ---- MXCSR and the upper halves.

/// Outside 64-bit mode VZEROUPPER and VZEROALL leave YMM8 to YMM15.
bool zero(Translator& t, const Insn& insn) {
  if (!t.mode.long_mode()) return false;
  t.a.bytes({0xc5, insn.has(kVexL) ? 0xfcU : 0xf8U, 0x77});
  return true;
}

bool store_control(Translator& t, const Insn& insn) {
  if (!t.reaches(insn)) return false;
  const Mem m = t.memory(insn, {.size = 4, .write = true});
  t.a.op(4, {.byte = 0xae, .map = Opcode::Map0f, .digit = true}, 3, m);
  return true;
}

/// With reserved bits it faults, and with exceptions that are not masked the block cannot go on.
bool load_control(Translator& t, const Insn& insn) {
  if (!t.reaches(insn)) return false;
  constexpr i64 kReserved = ~i64{kMxcsrMask}, kMasks = 0x1f80;
  const Mem m = t.memory(insn, {.size = 4});
  t.a.load(4, kScratch0, m);
  t.a.mov32(kScratch1, kScratch0);
  t.a.alu_imm(4, kAnd, kScratch1, kReserved | kMasks);
  t.a.alu_imm(4, kCmp, kScratch1, kMasks);
  t.call_if(kNotEqual);
  t.a.store(4, t.state.mxcsr, kScratch0);
  t.a.op(4, {.byte = 0xae, .map = Opcode::Map0f, .digit = true}, 2, t.state.mxcsr);
  return true;
}

constexpr u8 kAvx = kResidentSse | kResidentAvx;

constexpr std::array kEmitters{
    Emitter{.mnemonic = "vzeroupper", .emit = &zero, .resident = kAvx},
    Emitter{.mnemonic = "vzeroall", .emit = &zero, .resident = kAvx},
    Emitter{.mnemonic = "stmxcsr", .emit = &store_control, .resident = kResidentSse},
    Emitter{.mnemonic = "ldmxcsr", .emit = &load_control, .resident = kResidentSse},
    Emitter{.mnemonic = "vstmxcsr", .emit = &store_control, .resident = kAvx},
    Emitter{.mnemonic = "vldmxcsr", .emit = &load_control, .resident = kAvx},
};

constexpr Emitter kSse{.mnemonic = {}, .emit = &vector, .resident = kResidentSse};
constexpr Emitter kVex{.mnemonic = {}, .emit = &vector, .resident = kAvx};
constexpr Emitter kMmx{.mnemonic = {}, .emit = &vector, .resident = kResidentX87};
constexpr Emitter kSseMmx{.mnemonic = {}, .emit = &vector, .resident = kResidentSse | kResidentX87};

}  // namespace

std::span<const Emitter> vector_emitters() { return kEmitters; }

const Emitter* vector_emitter(const isa::Row& row) {
  if (!row.is(isa::NativeVector) || row.is(isa::Vsib)) return nullptr;
  if (has(row, {Method::P, Method::Q, Method::N})) {
    if (!host_cpu().xsave) return nullptr;
    return has(row, {Method::V, Method::W, Method::U}) ? &kSseMmx : &kMmx;
  }
  return row.vex ? &kVex : &kSse;
}

}  // namespace rhea::x86::translating
