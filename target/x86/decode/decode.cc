// SPDX-License-Identifier: GPL-2.0-or-later
// The decoder: bytes to Insn, by the rows of the instruction table (SDM vol. 2, chapter 2).
#include "target/x86/decode/decode.h"

#include "target/x86/cpu_state.h"
#include "target/x86/decode/forms.h"
#include "target/x86/decode/modrm.h"
#include "target/x86/decode/operand.h"
#include "target/x86/decode/rows.h"

#include <algorithm>

namespace rhea::x86 {
namespace {

using namespace decoding;
using isa::Map;

bool is_on(const DecodeMode& mode, u8 feature) {
  return feature == kNoFeature || mode.features == nullptr || (*mode.features)[feature];
}

/// Operand size by rule, mode (16, 32, 64 bits on AMD's, on Intel's processors) and prefixes (66:
/// 1, REX.W: 2).
constexpr std::array<std::array<std::array<u8, 4>, 4>, 4> kOperandSizes{{
    {{{2, 4, 2, 4}, {4, 2, 4, 2}, {4, 2, 8, 8}, {4, 2, 8, 8}}},  // Usual
    {{{2, 4, 2, 4}, {4, 2, 4, 2}, {8, 2, 8, 8}, {8, 2, 8, 8}}},  // Default64
    {{{2, 4, 2, 4}, {4, 2, 4, 2}, {8, 8, 8, 8}, {8, 8, 8, 8}}},  // Force64
    {{{2, 4, 2, 4}, {4, 2, 4, 2}, {8, 2, 8, 8}, {8, 8, 8, 8}}},  // Near64
}};

/// One instruction on its way from bytes to Insn.
class Decoder {
 public:
  /// kReadable bytes from `bytes` on can be read.
  Decoder(const u8* bytes, const DecodeMode& mode, Insn& insn)
      : cursor_(bytes), mode_(mode), insn_(insn), long_mode_(mode.code_bits == 64) {}

  /// `size`: how many of them may be the instruction's.
  DecodeStatus run(size_t size) {
    insn_ = Insn{};
    const bool good = take_opcode() && find_row() && is_allowed() && take_rest();
    const unsigned taken = cursor_.taken();
    insn_.length = static_cast<u8>(taken);
    if (taken > std::min<size_t>(size, kLongestInsn)) [[unlikely]]
      return size >= kLongestInsn ? DecodeStatus::TooLong : DecodeStatus::NeedMore;
    return good ? DecodeStatus::Ok : DecodeStatus::Invalid;
  }

 private:
  /// With the prefixes before it.
  bool take_opcode() {
    u8 byte = cursor_.take<u8>();
    PrefixKind kind = kPrefixKinds[byte];
    if (kind != PrefixKind::None) {
      if (kind != PrefixKind::Escape) {
        byte = take_prefixes(byte, kind);
        kind = kPrefixKinds[byte];
      }
      if (kind == PrefixKind::Escape) return take_escaped(byte);
    }
    insn_.opcode = byte;
    return true;
  }

  /// Prefixes that begin with the byte that was just taken. Returns the byte behind them.
  u8 take_prefixes(u8 byte, PrefixKind kind) {
    if (kind == PrefixKind::Rex) {
      if (!long_mode_) return byte;
      const PrefixKind next = kPrefixKinds[cursor_.peek()];
      if (next == PrefixKind::None || next == PrefixKind::Escape) {
        note_rex(prefixes_, byte);
        return cursor_.take<u8>();
      }
    }
    const Taken taken = take_many_prefixes(begin_, long_mode_);
    cursor_ = taken.cursor;
    prefixes_ = taken.prefixes;
    return cursor_.take<u8>();
  }

  bool take_escaped(u8 byte) {
    if (byte == 0x0f) {
      byte = cursor_.take<u8>();
      map_ = Map::Map0f;
      if (byte == 0x38 || byte == 0x3a) {
        map_ = byte == 0x38 ? Map::Map0f38 : Map::Map0f3a;
        byte = cursor_.take<u8>();
      }
    } else if (is_vex(cursor_, mode_)) {
      const Taken vex = take_vex(cursor_, byte, long_mode_, prefixes_);
      cursor_ = vex.cursor;
      prefixes_ = vex.prefixes;
      map_ = vex.map;
      if (!vex.good) return false;
      byte = cursor_.take<u8>();
    }
    insn_.opcode = byte;
    return true;
  }

  bool find_row() {
    const Forms& forms = Forms::get();
    const Opcode& opcode = forms.opcode(long_mode_, prefixes_.has(kVex), map_, insn_.opcode);
    if (!opcode.exists) return false;
    if (opcode.has_modrm) insn_.modrm = cursor_.take<u8>();
    u16 row = forms.find(opcode, {.prefix = prefixes_.mandatory,
                                  .modrm = insn_.modrm,
                                  .w = prefixes_.has(kRexW),
                                  .l = prefixes_.has(kVexL),
                                  .b = prefixes_.rex_b != 0});
    if (row == kNoForm) return false;
    if (forms.form(row).gated && !has_features(forms.form(row))) {
      row = forms.form(row).fallback;
      if (row == kNoForm || !has_features(forms.form(row))) return false;
    }
    insn_.row = row;
    form_ = &forms.form(row);
    in_memory_ = opcode.has_modrm && insn_.modrm < 0xc0 && !is(isa::IgnoreMod);
    return true;
  }

  bool has_features(const Form& form) const {
    if (!is_on(mode_, form.feature) || !is_on(mode_, form.second_feature)) return false;
    const bool avx2 = (form.attributes & isa::L1Avx2) != 0 && prefixes_.has(kVexL);
    return !avx2 || is_on(mode_, static_cast<u8>(Feature::Avx2));
  }

  bool is(isa::Attribute attribute) const { return (form_->attributes & attribute) != 0; }

  bool is_allowed() const {
    const bool usual = (prefixes_.bits & (kLock | kVex)) == 0;
    if (usual && !is(isa::ProtectedOnly)) [[likely]]
      return true;
    if (is(isa::ProtectedOnly) && mode_.real_or_v86) return false;
    if (prefixes_.has(kLock) && !may_lock()) [[unlikely]]
      return false;
    return prefixes_.vvvv == 0 || form_->uses_vvvv;
  }

  bool may_lock() const {
    if (is(isa::Lockable)) return in_memory_;
    // AMD's way to CR8 outside 64-bit mode.
    const bool control = is(isa::IgnoreMod) && (insn_.opcode & 1) == 0;
    return control && (insn_.modrm & 0x38) == 0 &&
           is_on(mode_, static_cast<u8>(Feature::Cr8Legacy));
  }

  bool take_rest() {
    // Outside 64-bit mode the highest bit counts only where it must be 1.
    if (!long_mode_) prefixes_.vvvv &= 7;
    insn_.prefixes = prefixes_.bits;
    insn_.vvvv = prefixes_.vvvv;
    insn_.operand_size = operand_size();
    insn_.address_size = address_size();
    insn_.seg = prefixes_.segment != kNoSegment ? prefixes_.segment : u8{Ds};
    if (in_memory_ && !take_memory(cursor_, prefixes_, long_mode_, is(isa::Vsib), insn_))
      return false;
    return take_operands(cursor_, prefixes_, *form_, long_mode_, in_memory_, insn_);
  }

  /// Index of kOperandSizes.
  unsigned mode_number() const {
    if (!long_mode_) return mode_.code_bits == 16 ? 0 : 1;
    return mode_.amd ? 2 : 3;
  }

  u8 operand_size() const {
    const unsigned prefixes =
        (prefixes_.has(kOperandSize) ? 1U : 0U) + (prefixes_.has(kRexW) ? 2U : 0U);
    return kOperandSizes[static_cast<unsigned>(form_->size_rule)][mode_number()][prefixes];
  }

  u8 address_size() const {
    const bool other = prefixes_.has(kAddressSize);
    if (long_mode_) return other ? 4 : 8;
    return (mode_.code_bits == 16) != other ? 2 : 4;
  }

  Cursor cursor_;
  const Cursor begin_{cursor_};
  const DecodeMode& mode_;
  Insn& insn_;
  bool long_mode_;
  bool in_memory_{};
  Map map_{Map::OneByte};
  Prefixes prefixes_;
  const Form* form_{};
};

}  // namespace

[[gnu::noinline]] DecodeStatus decoding::decode_by_rows(std::span<const u8> bytes,
                                                        const DecodeMode& mode, Insn& insn) {
  std::array<u8, kReadable> padded;  // NOLINT(cppcoreguidelines-pro-type-member-init): seldom used
  const u8* start = bytes.data();
  if (bytes.size() < kReadable) [[unlikely]] {
    padded.fill(0);
    std::ranges::copy(bytes, padded.begin());
    start = padded.data();
  }
  return Decoder(start, mode, insn).run(bytes.size());
}

}  // namespace rhea::x86
