// SPDX-License-Identifier: GPL-2.0-or-later
// The instruction table as the decoder wants it: opcode to row without a search.
#pragma once

#include "target/x86/insn.h"
#include "target/x86/isa/row.h"

#include <vector>

namespace rhea::x86::decoding {

inline constexpr u16 kNoForm = 0xffff;
inline constexpr u8 kNoFeature = 0xff;

/// What tells apart the rows of one opcode, from the most significant part of a leaf's index on.
enum Dimension : u8 {
  ByPrefix = 1 << 0,  ///< 66, F3, F2
  ByReg = 1 << 1,     ///< ModRM.reg
  ByRm = 1 << 2,      ///< ModRM.rm (with mod = 3)
  ByMod = 1 << 3,     ///< register or memory
  ByW = 1 << 4,
  ByL = 1 << 5,
  ByB = 1 << 6,  ///< REX.B
};

/// Nearly all opcodes that have several rows tell them apart by these: their leaves are laid out
/// for all three, so that there is little to decide.
inline constexpr u8 kUsualDimensions = ByPrefix | ByReg | ByMod;

/// What of an encoding the dimensions look at.
struct Selector {
  unsigned prefix{};  ///< as isa::MandatoryPrefix, None to PF2
  u8 modrm{};
  bool w{}, l{}, b{};
};

/// One opcode in one of the two kinds of modes.
struct Opcode {
  u32 leaf{};  ///< of the first leaf, or where there are no dimensions the row itself
  u8 dimensions{};
  bool has_modrm{};
  bool exists{};
};

/// How a form's operand size is found.
enum class SizeRule : u8 { Usual, Default64, Force64, Near64 };

/// Where an operand's register number comes from.
enum class Source : u8 { None, Reg, Rm, OpcodeLow, Vvvv };
inline constexpr unsigned kSources = 5;

/// An operand as far as it goes without decisions: kind, number and size.
struct Slot {
  OperandKind kind{};
  Source source{};
  u8 mask{};      ///< of the number
  u8 constant{};  ///< or-ed into it
  isa::Type type{};
  isa::Type memory_type{};
  bool may_be_memory{};  ///< is Memory where ModRM says so
};

/// What follows ModRM and the displacement.
enum class Tail : u8 {
  None,
  Byte,
  SignedByte,
  Word,
  SignedZ,   ///< 2 or 4 bytes by operand size, as always where the letter is z
  Full,      ///< 2, 4, 8 bytes
  Offset,    ///< by address size
  Far,       ///< offset of 2 or 4 bytes, then a selector
  ByteByte,  ///< two immediates
  WordByte,  ///< ENTER
};
inline constexpr unsigned kTails = static_cast<unsigned>(Tail::WordByte) + 1;

/// A row, without what only people read.
struct Form {
  u32 attributes{};
  u16 fallback{kNoForm};  ///< row that is meant where the feature is missing
  u8 feature{kNoFeature};
  u8 second_feature{kNoFeature};
  bool gated{};    ///< some feature must be there
  bool special{};  ///< operands have rules of their own: Special in operand.h
  bool uses_vvvv{};
  SizeRule size_rule{};
  Tail tail{};
  std::array<Slot, isa::kMaxOperands> slot{};
  std::array<isa::OperandSpec, isa::kMaxOperands> operand{};  ///< for the special ones
};

class Forms {
 public:
  /// Built at the first call.
  static const Forms& get() {
    static const Forms kForms;
    return kForms;
  }

  const Opcode& opcode(bool long_mode, bool vex, isa::Map map, u8 byte) const {
    return opcodes_[index(long_mode, vex, map, byte)];
  }
  /// The row, or kNoForm.
  u16 find(const Opcode& opcode, const Selector& s) const {
    if (opcode.dimensions == 0) return static_cast<u16>(opcode.leaf);
    if (opcode.dimensions == kUsualDimensions)
      return leaves_[opcode.leaf + leaf_index(kUsualDimensions, s)];
    return leaves_[opcode.leaf + leaf_index(opcode.dimensions, s)];
  }
  const Form& form(u16 row) const { return forms_[row]; }

 private:
  Forms();
  static unsigned index(bool long_mode, bool vex, isa::Map map, u8 byte) {
    return static_cast<unsigned>(long_mode) << 11 | static_cast<unsigned>(vex) << 10 |
           static_cast<unsigned>(map) << 8 | byte;
  }
  static unsigned leaf_index(u8 dimensions, const Selector& s) {
    unsigned at = 0;
    if (dimensions & ByPrefix) at = s.prefix;
    if (dimensions & ByReg) at = at << 3 | (s.modrm >> 3 & 7);
    if (dimensions & ByRm) at = at << 3 | (s.modrm & 7);
    if (dimensions & ByMod) at = at << 1 | static_cast<unsigned>(s.modrm >= 0xc0);
    if (dimensions & ByW) at = at << 1 | static_cast<unsigned>(s.w);
    if (dimensions & ByL) at = at << 1 | static_cast<unsigned>(s.l);
    if (dimensions & ByB) at = at << 1 | static_cast<unsigned>(s.b);
    return at;
  }
  void add_opcode(Opcode& opcode, std::span<const u16> candidates);
  void find_fallbacks();

  std::array<Opcode, std::size_t{2} * 2 * 4 * 256> opcodes_{};
  std::vector<u16> leaves_;
  std::vector<Form> forms_;
};

}  // namespace rhea::x86::decoding
