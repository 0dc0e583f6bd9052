// SPDX-License-Identifier: GPL-2.0-or-later
// Spreads the instruction table out over all values of what tells rows apart.
#include "target/x86/decode/forms.h"

namespace rhea::x86::decoding {
namespace {

using isa::Attribute;
using isa::MandatoryPrefix;
using isa::Method;
using isa::Row;

bool any(const Row& row, Attribute one, Attribute other) { return row.is(one) || row.is(other); }

/// What of an encoding decides whether it is this row's.
unsigned dimensions_of(const Row& row) {
  unsigned used = 0;
  if (row.prefix != MandatoryPrefix::None) used |= ByPrefix;
  if (row.extension >= 0 || row.second >= 0) used |= ByReg;
  if (row.second >= 0) used |= ByRm | ByMod;
  if (any(row, isa::MemoryOnly, isa::RegisterOnly)) used |= ByMod;
  if (any(row, isa::VexW0, isa::VexW1)) used |= ByW;
  if (any(row, isa::VexL0, isa::VexL1)) used |= ByL;
  if (row.is(isa::NoRexB)) used |= ByB;
  return used;
}

bool prefix_matches(const Row& row, unsigned prefix) {
  if (row.prefix == MandatoryPrefix::None) return true;
  if (row.prefix == MandatoryPrefix::Np) return prefix == 0;
  return static_cast<unsigned>(row.prefix) == prefix;
}

bool matches(const Row& row, const Selector& s) {
  const bool reg = s.modrm >= 0xc0;
  if (!prefix_matches(row, s.prefix)) return false;
  if (row.extension >= 0 && row.extension != (s.modrm >> 3 & 7)) return false;
  if (row.second >= 0 && row.second != s.modrm) return false;
  if (row.is(reg ? isa::MemoryOnly : isa::RegisterOnly)) return false;
  if (row.is(s.w ? isa::VexW0 : isa::VexW1)) return false;
  if (row.is(s.l ? isa::VexL0 : isa::VexL1)) return false;
  return !(row.is(isa::NoRexB) && s.b);
}

/// Of two rows that match, the one that asks for more is meant.
unsigned rank(const Row& row) {
  return (row.second >= 0 ? 8U : 0U) + (row.prefix != MandatoryPrefix::None ? 4U : 0U) +
         (row.is(isa::NoRexB) ? 2U : 0U) + (row.extension >= 0 ? 1U : 0U);
}

u16 best(std::span<const u16> candidates, const Selector& s) {
  u16 found = kNoForm;
  for (const u16 candidate : candidates) {
    if (!matches(isa::rows()[candidate], s)) continue;
    if (found == kNoForm || rank(isa::rows()[candidate]) > rank(isa::rows()[found]))
      found = candidate;
  }
  return found;
}

/// An encoding whose leaf is number `at`: Forms::leaf_index() backwards.
Selector selector_of(unsigned dimensions, unsigned at) {
  Selector s;
  const auto next = [&](Dimension dimension, unsigned bits) {
    if (!(dimensions & dimension)) return 0U;
    const unsigned value = at & ((1U << bits) - 1);
    at >>= bits;
    return value;
  };
  s.b = next(ByB, 1) != 0;
  s.l = next(ByL, 1) != 0;
  s.w = next(ByW, 1) != 0;
  unsigned modrm = next(ByMod, 1) * 0xc0;
  modrm |= next(ByRm, 3);
  modrm |= next(ByReg, 3) << 3;
  s.modrm = static_cast<u8>(modrm);
  s.prefix = next(ByPrefix, 2);
  return s;
}

unsigned leaf_count(unsigned dimensions) {
  unsigned bits = 0;
  for (const Dimension one : {ByMod, ByW, ByL, ByB}) bits += dimensions & one ? 1 : 0;
  for (const Dimension three : {ByReg, ByRm}) bits += dimensions & three ? 3 : 0;
  return 1U << (bits + (dimensions & ByPrefix ? 2 : 0));
}

SizeRule size_rule_of(const Row& row) {
  if (row.is(isa::Default64)) return SizeRule::Default64;
  if (row.is(isa::Force64)) return SizeRule::Force64;
  return row.is(isa::Near64) ? SizeRule::Near64 : SizeRule::Usual;
}

/// Kind and place of a register operand, or what stands in its place.
Slot place_of(Method method) {
  switch (method) {
    case Method::E: return {OperandKind::Gpr, Source::Rm, 15, 0, {}, {}, true};
    case Method::R: return {OperandKind::Gpr, Source::Rm, 15, 0, {}, {}, false};
    case Method::G: return {OperandKind::Gpr, Source::Reg, 15, 0, {}, {}, false};
    case Method::Z: return {OperandKind::Gpr, Source::OpcodeLow, 15, 0, {}, {}, false};
    case Method::B: return {OperandKind::Gpr, Source::Vvvv, 15, 0, {}, {}, false};
    case Method::Gpr: return {OperandKind::Gpr, Source::None, 0, 0, {}, {}, false};
    case Method::M: return {OperandKind::Memory, Source::None, 0, 0, {}, {}, true};
    case Method::I:
    case Method::One: return {OperandKind::Immediate, Source::None, 0, 0, {}, {}, false};
    case Method::J: return {OperandKind::Relative, Source::None, 0, 0, {}, {}, false};
    case Method::A: return {OperandKind::Far, Source::None, 0, 0, {}, {}, false};
    case Method::O:
    case Method::X:
    case Method::Y: return {OperandKind::Memory, Source::None, 0, 0, {}, {}, false};
    case Method::W: return {OperandKind::Vector, Source::Rm, 15, 0, {}, {}, true};
    case Method::U: return {OperandKind::Vector, Source::Rm, 15, 0, {}, {}, false};
    case Method::V: return {OperandKind::Vector, Source::Reg, 15, 0, {}, {}, false};
    case Method::H: return {OperandKind::Vector, Source::Vvvv, 15, 0, {}, {}, false};
    case Method::L: return {OperandKind::Vector, Source::None, 0, 0, {}, {}, false};
    case Method::Q: return {OperandKind::Mmx, Source::Rm, 7, 0, {}, {}, true};
    case Method::N: return {OperandKind::Mmx, Source::Rm, 7, 0, {}, {}, false};
    case Method::P: return {OperandKind::Mmx, Source::Reg, 7, 0, {}, {}, false};
    case Method::C: return {OperandKind::Control, Source::Reg, 15, 0, {}, {}, false};
    case Method::D: return {OperandKind::Debug, Source::Reg, 15, 0, {}, {}, false};
    case Method::S: return {OperandKind::Segment, Source::Reg, 7, 0, {}, {}, false};
    case Method::Segment: return {OperandKind::Segment, Source::None, 0, 0, {}, {}, false};
    case Method::StI: return {OperandKind::X87, Source::Rm, 7, 0, {}, {}, false};
    case Method::St0: return {OperandKind::X87, Source::None, 0, 0, {}, {}, false};
    case Method::None: break;
  }
  return {};
}

Slot slot_of(const isa::OperandSpec& spec) {
  Slot slot = place_of(spec.method);
  slot.constant = spec.reg;
  slot.type = spec.method == Method::A ? isa::Type::V : spec.type;
  slot.memory_type = spec.memory_type;
  return slot;
}

Tail tail_of(const isa::OperandSpec& spec) {
  if (spec.method == Method::O) return Tail::Offset;
  if (spec.method == Method::A) return Tail::Far;
  if (spec.method == Method::L) return Tail::Byte;
  if (spec.method != Method::I && spec.method != Method::J) return Tail::None;
  switch (spec.type) {
    case isa::Type::B: return spec.method == Method::J ? Tail::SignedByte : Tail::Byte;
    case isa::Type::Bs: return Tail::SignedByte;
    case isa::Type::W: return Tail::Word;
    case isa::Type::V: return Tail::Full;
    default: return Tail::SignedZ;
  }
}

/// Of a second immediate there is only a byte.
Tail join(Tail first, Tail second) {
  if (first == Tail::None) return second;
  if (second == Tail::None) return first;
  return first == Tail::Word ? Tail::WordByte : Tail::ByteByte;
}

bool is_special(Method method) {
  switch (method) {
    case Method::C:
    case Method::D:
    case Method::S:
    case Method::X:
    case Method::Y:
    case Method::L:
    case Method::One: return true;
    default: return false;
  }
}

Form form_of(const Row& row) {
  Form form;
  form.attributes = row.attributes;
  if (row.has_feature) form.feature = static_cast<u8>(row.feature);
  if (row.vex && row.is(isa::NativeVector)) form.second_feature = static_cast<u8>(Feature::Avx);
  form.gated = row.has_feature || form.second_feature != kNoFeature;
  form.size_rule = size_rule_of(row);
  form.operand = row.operand;
  form.special = row.is(isa::Vsib);
  for (unsigned n = 0; n < isa::kMaxOperands; ++n) {
    const isa::OperandSpec& spec = row.operand[n];
    form.slot[n] = slot_of(spec);
    form.tail = join(form.tail, tail_of(spec));
    form.special |= is_special(spec.method);
    form.uses_vvvv |= spec.method == Method::H || spec.method == Method::B;
  }
  return form;
}

}  // namespace

Forms::Forms() {
  const auto rows = isa::rows();
  for (const Row& row : rows) forms_.push_back(form_of(row));
  std::array<std::vector<u16>, 2 * 2 * 4 * 256> candidates;
  for (u16 number = 0; number < rows.size(); ++number) {
    const Row& row = rows[number];
    for (const bool long_mode : {false, true}) {
      if (row.is(long_mode ? isa::No64 : isa::Only64)) continue;
      for (unsigned i = 0; i < row.opcodes; ++i)
        candidates[index(long_mode, row.vex, row.map, static_cast<u8>(row.opcode + i))].push_back(
            number);
    }
  }
  for (unsigned i = 0; i < candidates.size(); ++i)
    if (!candidates[i].empty()) add_opcode(opcodes_[i], candidates[i]);
  find_fallbacks();
}

void Forms::add_opcode(Opcode& opcode, std::span<const u16> candidates) {
  opcode.exists = true;
  for (const u16 candidate : candidates) {
    opcode.has_modrm |= isa::rows()[candidate].has_modrm;
    opcode.dimensions |= static_cast<u8>(dimensions_of(isa::rows()[candidate]));
  }
  if (opcode.dimensions == 0) {
    opcode.leaf = best(candidates, {});
    return;
  }
  if ((opcode.dimensions & ~kUsualDimensions) == 0) opcode.dimensions = kUsualDimensions;
  opcode.leaf = static_cast<u32>(leaves_.size());
  for (unsigned at = 0; at < leaf_count(opcode.dimensions); ++at)
    leaves_.push_back(best(candidates, selector_of(opcode.dimensions, at)));
}

/// TZCNT, LZCNT and WBNOINVD are BSF, BSR and WBINVD to a processor that does not have them.
void Forms::find_fallbacks() {
  const auto rows = isa::rows();
  for (u16 i = 0; i < rows.size(); ++i)
    for (u16 j = 0; j < rows.size(); ++j)
      if (rows[i].has_feature && rows[i].prefix == MandatoryPrefix::PF3 &&
          rows[j].prefix == MandatoryPrefix::None && rows[i].map == rows[j].map &&
          rows[i].opcode == rows[j].opcode && rows[i].extension == rows[j].extension &&
          !rows[i].vex && !rows[j].vex)
        forms_[i].fallback = j;
}

}  // namespace rhea::x86::decoding
