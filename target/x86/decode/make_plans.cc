// SPDX-License-Identifier: GPL-2.0-or-later
// Makes the plans: has the general decoder decode each opcode once, and notes what will differ.
#include "rhea/util/error.h"
#include "target/x86/cpu_state.h"
#include "target/x86/decode/forms.h"
#include "target/x86/decode/operand.h"
#include "target/x86/decode/plans.h"
#include "target/x86/decode/rows.h"

#include <algorithm>

namespace rhea::x86::decoding {

/// What comes before an opcode, and what that means.
struct Plans::Head {
  u8 code_bits{};
  isa::Map map{};
  Selector selector;  ///< prefix, W and L
  bool vex{};
  std::array<u8, kLongestInsn + 1> bytes{};
  unsigned length{};

  bool is_by_reg(const Opcode& opcode) const;
  Plan plan(const Opcode& opcode, u8 byte, unsigned modrm) const;
  void append(unsigned byte) { bytes[length++] = static_cast<u8>(byte); }
};

namespace {

constexpr std::size_t kRoughlyAllPlans = 20'000;
constexpr std::array<u8, 4> kMandatoryPrefixes{0, 0x66, 0xf3, 0xf2};  // isa::MandatoryPrefix

/// Only these letters, whose operands are the same for all encodings or are in a Lane.
bool can_plan(const isa::OperandSpec& spec) {
  switch (spec.method) {
    case Method::O:
    case Method::A:
    case Method::C:
    case Method::D:
    case Method::S:
    case Method::L: return false;
    default: return true;
  }
}

bool can_plan(const Form& form, bool vex) {
  constexpr u32 kUnusual = isa::ProtectedOnly | isa::IgnoreMod | isa::Vsib;
  return (form.attributes & kUnusual) == 0 && form.tail < Tail::Offset &&
         std::ranges::all_of(
             form.operand, [](const auto& spec) { return can_plan(spec); }) &&
         (vex || form.slot[2].source == Source::None) && form.slot[3].source == Source::None;
}

Lane lane_of(const Slot& slot) {
  const bool is_short = slot.mask == 7;
  switch (slot.source) {
    case Source::None: return Lane::None;
    case Source::Reg: return is_short ? Lane::ShortReg : Lane::Reg;
    case Source::Rm: return is_short ? Lane::ShortRm : Lane::Rm;
    case Source::OpcodeLow: return Lane::RexB;
    case Source::Vvvv: return Lane::Vvvv;
  }
  return Lane::None;
}

ImmediateRule rule_of(Tail tail, unsigned size) {
  if (size == 0) return ImmediateRule::None;
  if (tail == Tail::Byte) return ImmediateRule::Byte;
  if (tail == Tail::Word) return ImmediateRule::Word;
  if (size == 8) return ImmediateRule::Qword;
  if (size == 4) return ImmediateRule::SignedDword;
  return size == 2 ? ImmediateRule::SignedWord : ImmediateRule::SignedByte;
}

/// Two features can be asked for. False: there are three, and Avx is not one of them.
bool set_features(Plan& plan, const Form& form, bool l) {
  plan.feature = form.feature;
  plan.second_feature = form.second_feature;
  if ((form.attributes & isa::L1Avx2) == 0 || !l) return true;
  if (plan.second_feature != kNoFeature && plan.second_feature != plan.feature) return false;
  plan.second_feature = static_cast<u8>(Feature::Avx2);
  return true;
}

/// What names operand `n`'s register is taken out of the Insn, for finish() to put in.
void plan_operand(Plan& plan, const Slot& slot, unsigned n) {
  Operand& op = plan.insn.op[n];
  const Lane lane = op.kind == OperandKind::Memory ? Lane::None : lane_of(slot);
  plan.lane[n] = lane;
  if (lane != Lane::None) op.reg = lane == Lane::RexB ? plan.insn.opcode & 7 : 0;
  plan.byte_registers |= op.kind == OperandKind::Gpr && op.size == 1;
}

void forget_address(Insn& insn) {
  insn.base = insn.index = kNoReg;
  insn.scale = 0;
  insn.seg = Ds;
}

/// A plan for what the general decoder made of an encoding with ModRM (if there is one) of mod 0 or
/// 3 and rm 0, and all else 0.
Plan plan_of(const Insn& decoded, bool has_modrm, bool l) {
  const Form& form = Forms::get().form(decoded.row);
  Plan plan{.insn = decoded};
  Insn& insn = plan.insn;
  if (!can_plan(form, insn.has(kVex)) || !set_features(plan, form, l)) return {};
  if (has_modrm && insn.modrm < 0xc0) forget_address(insn);
  insn.modrm = 0;
  insn.prefixes &= static_cast<u16>(~kRex);
  plan.forbids_vvvv = !form.uses_vvvv;
  plan.immediate_size = kTailSizes[static_cast<unsigned>(form.tail)][insn.operand_size >> 2];
  plan.immediate = rule_of(form.tail, plan.immediate_size);
  insn.length = static_cast<u8>(1 + plan.immediate_size);
  for (unsigned n = 0; n < kPlannedOperands; ++n) plan_operand(plan, form.slot[n], n);
  return plan;
}

/// PlannedOpcode::length, of an opcode with some plan.
u8 length_of(std::span<const Plan> plans) {
  unsigned length = 0;
  for (const Plan& plan : plans) {
    if (plan.insn.length == 0) continue;
    if (plan.forbids_rex_b || (length != 0 && length != plan.insn.length))
      return PlannedOpcode::kOddLength;
    length = plan.insn.length;
  }
  return static_cast<u8>(length);
}

}  // namespace

/// Whether ModRM.reg makes a difference.
bool Plans::Head::is_by_reg(const Opcode& opcode) const {
  const auto row = [&](unsigned modrm) {
    Selector all = selector;
    all.modrm = static_cast<u8>(modrm);
    return Forms::get().find(opcode, all);
  };
  for (unsigned reg = 1; reg < 8; ++reg)
    if (row(reg << 3) != row(0) || row(0xc0 | reg << 3) != row(0xc0)) return true;
  return false;
}

/// The plan of an opcode with this ModRM, if it has one.
Plan Plans::Head::plan(const Opcode& opcode, u8 byte, unsigned modrm) const {
  if (modrm >= 0xc0 && (opcode.dimensions & ByRm) != 0) return {};
  Head whole = *this;
  whole.append(byte);
  if (opcode.has_modrm) whole.append(modrm);
  Insn insn;
  if (decode_by_rows(whole.bytes, {.code_bits = code_bits}, insn) != DecodeStatus::Ok) return {};
  // Whether 66 counts for near branches depends on the processor.
  const bool near = (Forms::get().form(insn.row).attributes & isa::Near64) != 0;
  if (near && code_bits == 64 && insn.has(kOperandSize)) return {};
  Plan made = plan_of(insn, opcode.has_modrm, selector.l);
  made.forbids_rex_b = (opcode.dimensions & ByB) != 0;
  return made;
}

PlannedOpcode Plans::add_opcode(const Head& head, u8 byte) {
  const Opcode& opcode = Forms::get().opcode(head.code_bits == 64, head.vex, head.map, byte);
  if (!opcode.exists) return {};
  const bool by_reg = head.is_by_reg(opcode);
  const std::size_t first = plans_.size();
  for (unsigned reg = 0; reg < (by_reg ? 8 : 1); ++reg) {
    plans_.push_back(head.plan(opcode, byte, reg << 3));
    if (opcode.has_modrm) plans_.push_back(head.plan(opcode, byte, 0xc0 | reg << 3));
  }
  const auto made = std::span(plans_).subspan(first);
  if (std::ranges::all_of(made, [](const Plan& plan) { return plan.insn.length == 0; })) {
    plans_.resize(first);
    return {};
  }
  return {.first = static_cast<u16>(first),
          .reg_mask = by_reg ? u8{0x0e} : u8{0},
          .length = length_of(made),
          .modrm_mask = static_cast<i8>(opcode.has_modrm ? -1 : 0)};
}

void Plans::add_mode(unsigned number) {
  PlannedMode& mode = modes_[number];
  const bool long_mode = number == 2;
  mode.addresses = make_address_table(static_cast<u8>(2U << number), long_mode);
  for (u8 low = 0; long_mode && low < 16; ++low) mode.rex[0x40 + low] = kIsRex | low;
  for (unsigned context = 0; context < (long_mode ? kPlanContexts : kPlanContexts / 2); ++context)
    for (unsigned map = 0; map < 2; ++map) {
      Head head{.code_bits = static_cast<u8>(16U << number),
                .map = static_cast<isa::Map>(map),
                .selector = {.prefix = context & 3, .w = (context & 4) != 0}};
      if (head.selector.prefix != 0) head.append(kMandatoryPrefixes[head.selector.prefix]);
      if (head.selector.w) head.append(0x48);
      if (map == 1) head.append(0x0f);
      for (unsigned byte = 0; byte < 256; ++byte)
        mode.opcodes[planned_map(context, map) + byte] = add_opcode(head, static_cast<u8>(byte));
    }
}

void Plans::add_vex() {
  for (unsigned context = 0; context < kVexContexts; ++context)
    for (unsigned map = 1; map < 4; ++map) {
      const bool w = (context & 4) != 0, l = (context & 8) != 0;
      Head head{.code_bits = 64,
                .map = static_cast<isa::Map>(map),
                .selector = {.prefix = context & 3, .w = w, .l = l},
                .vex = true};
      head.append(0xc4);
      head.append(0xe0 | map);
      head.append((w ? 0x80U : 0U) | 0x78 | (l ? 4U : 0U) | (context & 3));
      for (unsigned byte = 0; byte < 256; ++byte)
        vex_opcodes_[planned_vex_map(context, map) + byte] =
            add_opcode(head, static_cast<u8>(byte));
    }
}

Plans::Plans() : plans_(1) {
  plans_.reserve(kRoughlyAllPlans);
  for (unsigned number = 0; number < modes_.size(); ++number) add_mode(number);
  add_vex();
  RHEA_ASSERT(plans_.size() <= 0x10000);  // PlannedOpcode::first
}

}  // namespace rhea::x86::decoding
