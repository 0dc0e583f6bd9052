// SPDX-License-Identifier: GPL-2.0-or-later
// Decoding by plans: a copy, and a few numbers put in.
#include "target/x86/decode/plans.h"

#include "target/x86/cpu_state.h"
#include "target/x86/decode/forms.h"
#include "target/x86/decode/prefix.h"
#include "target/x86/decode/rows.h"

#include <bit>

namespace rhea::x86 {
namespace decoding {
namespace {

/// One byte a Lane.
using RegisterNumbers = u64;
constexpr RegisterNumbers in_lane(Lane lane, u64 number) {
  return number << 8 * static_cast<unsigned>(lane);
}

/// What REX, or VEX in its place, adds.
struct alignas(16) Rex {
  RegisterNumbers numbers{};
  u32 address_mask{};  ///< of Address::with_rex
  u16 prefixes{};
};

/// By the low four bits of REX, plus kIsRex if it is a REX prefix and not VEX.
constexpr std::array<Rex, std::size_t{2} * kIsRex> kRexes = [] {
  std::array<Rex, std::size_t{2} * kIsRex> all{};
  for (unsigned i = 0; i < all.size(); ++i) {
    const u64 r = i & 4 ? 8 : 0, b = i & 1 ? 8 : 0;
    all[i] = {.numbers = in_lane(Lane::Reg, r) | in_lane(Lane::Rm, b) | in_lane(Lane::RexB, b),
              .address_mask = (i & 2 ? kIndexFields : 0) | (i & 1 ? kBaseFields : 0),
              .prefixes = i & kIsRex ? u16{kRex} : u16{0}};
  }
  return all;
}();

/// What ModRM says.
struct Modrm {
  RegisterNumbers numbers{};
  AddressPlace address;
};
constexpr std::array<Modrm, 256> kModrms = [] {
  std::array<Modrm, 256> all{};
  for (unsigned modrm = 0; modrm < 256; ++modrm) {
    const unsigned reg = modrm >> 3 & 7, rm = modrm & 7;
    all[modrm] = {.numbers = in_lane(Lane::Reg, reg) | in_lane(Lane::ShortReg, reg) |
                             in_lane(Lane::Rm, rm) | in_lane(Lane::ShortRm, rm),
                  .address = address_place(modrm)};
  }
  return all;
}();

/// By ImmediateRule.
constexpr std::array<Extension<u64>, 7> kImmediates{
    extension_of<u64>(0, false), extension_of<u64>(1, false), extension_of<u64>(1, true),
    extension_of<u64>(2, false), extension_of<u64>(2, true),  extension_of<u64>(4, true),
    extension_of<u64>(8, false)};

template <class T>
T load(const u8* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

[[gnu::noinline]] bool has_features(const FeatureSet& features, const Plan& plan) {
  const auto is_on = [&](u8 feature) { return feature == kNoFeature || features[feature]; };
  return is_on(plan.feature) && is_on(plan.second_feature);
}

struct FewPrefixes {
  u8 count{};
  u8 mandatory{};  ///< isa::MandatoryPrefix
  u8 segment{kNoSegment};
  bool good{true};
};

/// Up to three legacy prefixes; no LOCK or address size, and 66, F3 and F2 not together. An
/// instruction with a plan is at most 12 bytes long without prefixes.
FewPrefixes take_few_prefixes(const u8* bytes, bool long_mode) {
  FewPrefixes few;
  const auto mandatory = [&](isa::MandatoryPrefix prefix) {
    few.good = few.good && (few.mandatory == 0 || few.mandatory == static_cast<u8>(prefix));
    few.mandatory = static_cast<u8>(prefix);
  };
  for (; few.count < 4; ++few.count) {
    const u8 byte = bytes[few.count];
    switch (kPrefixKinds[byte]) {
      case PrefixKind::Segment:
        if (byte >= 0x64 || !long_mode) few.segment = segment_of(byte);
        break;
      case PrefixKind::OperandSize: mandatory(isa::MandatoryPrefix::P66); break;
      case PrefixKind::Repne: mandatory(isa::MandatoryPrefix::PF2); break;
      case PrefixKind::Rep: mandatory(isa::MandatoryPrefix::PF3); break;
      default: return few;
    }
  }
  few.good = false;
  return few;
}

/// Byte registers 4 to 7 are AH, CH, DH and BH unless there is a REX prefix.
[[gnu::noinline]] void name_high_bytes(Insn& insn) {
  for (Operand& op : insn.op)
    if (op.kind == OperandKind::Gpr && op.size == 1 && op.reg >= 4) op.reg += kHighByte - 4;
}

}  // namespace

/// An instruction up to its opcode.
struct Plans::Opening {
  const u8* bytes{};
  const PlannedOpcode* opcodes{};  ///< of the map and prefixes
  const AddressTable* addresses{};
  u64 ahead{};        ///< from the opcode on
  unsigned before{};  ///< bytes before it
  unsigned rex{};     ///< index of kRexes
  bool vex{};
  u8 vvvv{};
};

/// With at most REX and 0F before the opcode, and one byte `prefix` (isa::MandatoryPrefix) before
/// `bytes`. Which of them are there is found out without a branch, and in one register: the next
/// instruction waits for all of this.
[[gnu::always_inline]] inline Plans::Opening Plans::open(const u8* bytes, const DecodeMode& mode,
                                                         unsigned prefix) const {
  const PlannedMode& planned = modes_[mode.code_bits >> 5];
  u64 ahead = load<u64>(bytes);
  const unsigned rex = planned.rex[ahead & 0xff];
  const unsigned has_rex = rex >> 4;
  ahead >>= 8 * has_rex;
  const unsigned two = (ahead & 0xff) == 0x0f;
  ahead >>= 8 * two;
  const unsigned context = prefix | (rex >> 1 & 4);
  return {.bytes = bytes,
          .opcodes = &planned.opcodes[planned_map(context, two)],
          .addresses = &planned.addresses,
          .ahead = ahead,
          .before = has_rex + two,
          .rex = rex};
}

/// `planned_length`: of opcode and immediate.
[[gnu::always_inline]] inline void Plans::fill_in(const Opening& opening, const Plan& plan,
                                                  unsigned planned_length, unsigned modrm_mask,
                                                  Insn& insn) {
  const unsigned modrm = opening.ahead >> 8 & 0xff;
  const Modrm& by_modrm = kModrms[modrm];
  const unsigned sib = static_cast<unsigned>(opening.ahead >> 16) & by_modrm.address.sib_mask;
  const Address& address = (*opening.addresses)[(by_modrm.address.first + sib) & modrm_mask];
  const Rex& rex = kRexes[opening.rex];
  const unsigned length = opening.before + planned_length + address.length;
  const u8* immediate = opening.bytes + length - plan.immediate_size;
  const u8* disp = immediate - address.disp_size;

  insn = plan.insn;
  insn.length = static_cast<u8>(length);
  insn.prefixes = plan.insn.prefixes | rex.prefixes;
  insn.modrm = static_cast<u8>(modrm & modrm_mask);
  insn.disp = static_cast<i32>(address.disp(load<u32>(disp)));
  insn.imm =
      plan.insn.imm | kImmediates[static_cast<unsigned>(plan.immediate)](load<u64>(immediate));

  const u32 fields =
      packed_address(plan.insn.base, plan.insn.index, plan.insn.scale, plan.insn.seg) ^
      address.fields ^ (address.with_rex & rex.address_mask);
  insn.base = static_cast<u8>(fields);
  insn.index = static_cast<u8>(fields >> 8);
  insn.scale = static_cast<u8>(fields >> 16);
  insn.seg = static_cast<u8>(fields >> 24);

  const auto numbers = std::bit_cast<std::array<u8, 8>>(by_modrm.numbers | rex.numbers |
                                                        in_lane(Lane::Vvvv, opening.vvvv));
  const auto name = [&](unsigned n) {
    insn.op[n].reg = plan.insn.op[n].reg | numbers[static_cast<unsigned>(plan.lane[n])];
  };
  name(0);
  name(1);
  if (opening.vex) name(2);
  if (plan.byte_registers && rex.prefixes == 0) name_high_bytes(insn);
}

/// False: there is no plan.
[[gnu::always_inline]] inline bool Plans::finish(const Opening& opening, const DecodeMode& mode,
                                                 Insn& insn) const {
  const PlannedOpcode opcode = opening.opcodes[opening.ahead & 0xff];
  const unsigned modrm = opening.ahead >> 8 & 0xff;
  // NOLINTNEXTLINE(bugprone-signed-char-misuse): all ones or none
  const auto modrm_mask = static_cast<unsigned>(opcode.modrm_mask);
  const unsigned in_register = modrm >= 0xc0;
  const Plan& plan =
      plans_[opcode.first + (modrm >> 2 & opcode.reg_mask) + (in_register & modrm_mask)];
  unsigned planned_length = opcode.length;
  if (plan.insn.length != planned_length) [[unlikely]] {
    if (plan.insn.length == 0 || (plan.forbids_rex_b && (opening.rex & 1) != 0)) return false;
    planned_length = plan.insn.length;
  }
  if (mode.features != nullptr)
    if ((plan.feature & plan.second_feature) != kNoFeature && !has_features(*mode.features, plan))
      return false;
  if (opening.vex && plan.forbids_vvvv && opening.vvvv != 0) return false;

  fill_in(opening, plan, planned_length, modrm_mask, insn);
  return true;
}

/// Built at the first call.
[[gnu::always_inline]] inline const Plans& Plans::get() {
  static const Plans kPlans;
  return kPlans;
}

[[gnu::always_inline]] inline bool Plans::decode(const u8* bytes, const DecodeMode& mode,
                                                 Insn& insn) const {
  if (finish(open(bytes, mode, 0), mode, insn)) [[likely]]
    return true;
  switch (kPrefixKinds[*bytes]) {
    case PrefixKind::None:
    case PrefixKind::Rex:
    case PrefixKind::AddressSize:
    case PrefixKind::Lock: return false;
    case PrefixKind::Escape:
      return *bytes != 0x0f && mode.code_bits == 64 && decode_vex(bytes, mode, insn);
    default: return decode_prefixed(bytes, mode, insn);
  }
}

bool Plans::try_decode(const u8* bytes, const DecodeMode& mode, Insn& insn) {
  return get().decode(bytes, mode, insn);
}

[[gnu::noinline]] bool Plans::decode_prefixed(const u8* bytes, const DecodeMode& mode,
                                              Insn& insn) const {
  const FewPrefixes prefixes = take_few_prefixes(bytes, mode.code_bits == 64);
  if (!prefixes.good) return false;
  if (!finish(open(bytes + prefixes.count, mode, prefixes.mandatory), mode, insn)) return false;
  insn.length += prefixes.count;
  if (prefixes.segment == kNoSegment) return true;
  insn.prefixes |= kSegmentOverride;
  insn.seg = prefixes.segment;
  // String instructions, whose ES stays: without ModRM nothing else has these.
  return insn.modrm != 0 || (insn.base != Rsi && insn.base != Rdi);
}

[[gnu::noinline]] bool Plans::decode_vex(const u8* bytes, const DecodeMode& mode,
                                         Insn& insn) const {
  Cursor cursor(bytes);
  const u8 first = cursor.take<u8>();
  const auto [behind, prefixes, map, good] = take_vex(cursor, first, true, {});
  if (!good) return false;
  const unsigned context =
      prefixes.mandatory | (prefixes.has(kRexW) ? 4U : 0U) | (prefixes.has(kVexL) ? 8U : 0U);
  const unsigned rex = (prefixes.rex_r >> 1 | prefixes.rex_x >> 2 | prefixes.rex_b >> 3) & 7U;
  const Opening opening{
      .bytes = bytes,
      .opcodes = &vex_opcodes_[planned_vex_map(context, static_cast<unsigned>(map))],
      .addresses = &modes_[2].addresses,
      .ahead = behind.look<u64>(),
      .before = behind.taken(),
      .rex = rex,
      .vex = true,
      .vvvv = prefixes.vvvv};
  if (!finish(opening, mode, insn)) return false;
  insn.vvvv = prefixes.vvvv;
  return true;
}

}  // namespace decoding

DecodeStatus decode(std::span<const u8> bytes, const DecodeMode& mode, Insn& insn) {
  using namespace decoding;
  if (bytes.size() < kReadable) [[unlikely]]
    return decode_by_rows(bytes, mode, insn);
  // What has a plan is never longer than 15 bytes.
  if (Plans::get().decode(bytes.data(), mode, insn)) [[likely]]
    return DecodeStatus::Ok;
  return decode_by_rows({bytes.data(), kReadable}, mode, insn);
}

}  // namespace rhea::x86
