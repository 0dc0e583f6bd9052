// SPDX-License-Identifier: GPL-2.0-or-later
// Random encodings of a row: the decoder's rules, backwards.
#include "target/x86/isa/generate.h"

#include <algorithm>

namespace rhea::x86::isa {
namespace {

bool is_reg_field(Method method) {
  constexpr std::array kThose{Method::G, Method::C, Method::D, Method::S, Method::P, Method::V};
  return std::ranges::find(kThose, method) != kThose.end();
}

bool is_rm_field(Method method) {
  constexpr std::array kThose{Method::E, Method::M, Method::R, Method::Q,
                              Method::N, Method::W, Method::U, Method::StI};
  return std::ranges::find(kThose, method) != kThose.end();
}

bool is_gpr(Method method) {
  constexpr std::array kThose{Method::E, Method::G, Method::R, Method::Z, Method::B};
  return std::ranges::find(kThose, method) != kThose.end();
}

class Generator {
 public:
  Generator(const Row& row, Random& random, const GenerateMode& mode, std::vector<u8>& bytes)
      : row_(row), random_(random), mode_(mode), bytes_(bytes), long_mode_(mode.code_bits == 64) {}

  bool run() {
    if (row_.is(long_mode_ ? No64 : Only64)) return false;
    choose_sizes();
    choose_fields();
    put_prefixes();
    put_opcode();
    if (row_.has_modrm) put_modrm();
    for (const OperandSpec& spec : row_.operand) put_immediate(spec);
    return true;
  }

 private:
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
  bool maybe(unsigned one_in) { return below(one_in) == 0; }
  unsigned registers() const { return long_mode_ ? 16 : 8; }
  void put(u8 byte) { bytes_.push_back(byte); }
  void put_random(unsigned count) {
    for (unsigned i = 0; i < count; ++i) put(static_cast<u8>(random_()));
  }

  bool any_operand(auto&& wanted) const { return std::ranges::any_of(row_.operand, wanted); }
  bool has(Method method) const {
    return any_operand([&](const OperandSpec& spec) { return spec.method == method; });
  }
  bool has(Type type) const {
    return any_operand([&](const OperandSpec& spec) {
      return spec.method != Method::None && (spec.type == type || spec.memory_type == type);
    });
  }
  const OperandSpec* find(bool (*wanted)(Method)) const {
    const auto found = std::ranges::find_if(
        row_.operand, [&](const OperandSpec& spec) { return wanted(spec.method); });
    return found == row_.operand.end() ? nullptr : &*found;
  }

  void choose_sizes() {
    w_ = row_.is(VexW1) || (!row_.is(VexW0) && (long_mode_ || row_.vex) && maybe(3));
    l_ = row_.is(VexL1) || (!row_.is(VexL0) && maybe(2));
    const bool free = row_.prefix == MandatoryPrefix::None;
    const bool sized = has(Type::V) || has(Type::Z) || has(Method::A);
    const bool repeated =
        row_.prefix == MandatoryPrefix::PF3 || row_.prefix == MandatoryPrefix::PF2;
    operand_prefix_ = !row_.vex && sized && (free || repeated) && maybe(4);
    address_prefix_ = mode_.prefixes && !row_.is(Vsib) && !mode_.base && maybe(8);
    if (row_.is(Vsib) && mode_.code_bits == 16) address_prefix_ = true;
  }

  unsigned operand_size() const {
    const bool other = operand_prefix_;
    if (!long_mode_) return (mode_.code_bits == 16) != other ? 2 : 4;
    if (w_ || row_.is(Force64)) return 8;
    if (other) return 2;
    return row_.is(Default64) || row_.is(Near64) ? 8 : 4;
  }
  unsigned address_size() const {
    if (long_mode_) return address_prefix_ ? 4 : 8;
    return (mode_.code_bits == 16) != address_prefix_ ? 2 : 4;
  }

  /// A register number for an operand, within what the mode and the caller allow.
  u8 number_for(const OperandSpec* spec) {
    for (;;) {
      const auto number = static_cast<u8>(below(registers()));
      if (spec == nullptr || !is_gpr(spec->method)) return number;
      // AH to BH have the numbers of SP to DI when there is no REX.
      const bool byte = spec->type == Type::B;
      const auto used = byte && number >= 4 && number < 8 ? number - 4 : number;
      if ((mode_.avoid >> number & 1) == 0 && (mode_.avoid >> used & 1) == 0) return number;
    }
  }

  void choose_fields() {
    reg_ = row_.extension >= 0 ? static_cast<u8>(row_.extension) : choose_reg();
    const OperandSpec* rm = find(is_rm_field);
    const bool memory =
        row_.is(MemoryOnly) || (rm != nullptr && !row_.is(RegisterOnly) && maybe(2));
    in_memory_ = memory && row_.has_modrm && row_.second < 0 && !row_.is(IgnoreMod);
    rm_ = number_for(rm);
    low_ = has(Method::Z) ? number_for(find(is_gpr)) : u8{0};
    if (row_.opcode == 0x90 && row_.map == Map::OneByte && (low_ & 7) == 0) low_ |= 1;
    if (!has(Method::Z)) low_ = row_.opcodes == 16 ? static_cast<u8>(below(16)) : u8{0};
    if (has(Method::H)) vvvv_ = static_cast<u8>(below(registers()));
    if (has(Method::B)) vvvv_ = number_for(find([](Method m) { return m == Method::B; }));
    if (row_.is(Vsib)) choose_gather();
    index_ = static_cast<u8>(row_.is(Vsib) ? index_ : below(registers()));
  }

  u8 choose_reg() {
    constexpr std::array<u8, 5> kControl{0, 2, 3, 4, 8};
    const OperandSpec* spec = find(is_reg_field);
    if (has(Method::C)) return kControl[below(long_mode_ ? 5 : 4)];
    if (has(Method::D)) return static_cast<u8>(below(8));
    if (has(Method::S)) {
      constexpr std::array<u8, 6> kSegments{0, 2, 3, 4, 5, 1};
      return kSegments[below(row_.operand[0].method == Method::S ? 5 : 6)];
    }
    return spec == nullptr ? static_cast<u8>(below(8)) : number_for(spec);
  }

  /// Destination, index and mask must differ.
  void choose_gather() {
    std::array<u8, 3> three{};
    std::array<u8, 16> all{};
    for (u8 i = 0; i < 16; ++i) all[i] = i;
    std::shuffle(all.begin(), all.begin() + registers(), random_);
    std::copy_n(all.begin(), 3, three.begin());
    reg_ = three[0];
    index_ = three[1];
    vvvv_ = three[2];
  }

  bool is_string() const { return has(Method::X) || has(Method::Y); }

  void put_prefixes() {
    constexpr std::array<u8, 6> kSegments{0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};
    if (mode_.prefixes && !mode_.base && maybe(8)) put(kSegments[below(6)]);
    if (address_prefix_) put(0x67);
    if (operand_prefix_) put(0x66);
    if (mode_.prefixes && is_string() && maybe(2)) put(maybe(2) ? 0xf2 : 0xf3);
    if (mode_.prefixes && row_.is(Lockable) && in_memory_ && maybe(4)) put(0xf0);
    if (row_.vex) return;
    constexpr std::array<u8, 5> kMandatory{0, 0x66, 0xf3, 0xf2, 0};
    if (const u8 byte = kMandatory[static_cast<unsigned>(row_.prefix)]; byte != 0) put(byte);
    put_rex();
  }

  bool extends_rm() const { return (memory_base() & 8) != 0; }
  /// What REX.B extends: the base, ModRM.rm or the register in the opcode.
  u8 memory_base() const {
    if (!row_.has_modrm) return low_;
    return in_memory_ && mode_.base ? *mode_.base : rm_;
  }
  bool byte_needs_rex() const {
    return any_operand(
        [&](const OperandSpec& spec) { return spec.type == Type::B && is_gpr(spec.method); });
  }

  void put_rex() {
    unsigned rex = (w_ ? 8U : 0U) | (reg_ & 8 ? 4U : 0U);
    if (in_memory_ && !mode_.base && (index_ & 8)) rex |= 2;
    if (extends_rm() && !row_.is(NoRexB) && !(row_.opcodes == 16)) rex |= 1;
    const bool optional = byte_needs_rex() && maybe(2);
    if (long_mode_ && (rex != 0 || optional)) put(static_cast<u8>(0x40 | rex));
  }

  void put_vex() {
    const bool x = long_mode_ && in_memory_ && ((!mode_.base || row_.is(Vsib)) && (index_ & 8));
    const bool b = long_mode_ && extends_rm();
    const bool r = (reg_ & 8) != 0;
    constexpr std::array<u8, 5> kPp{0, 1, 2, 3, 0};
    const auto last = static_cast<u8>((~vvvv_ & 15) << 3 | (l_ ? 4 : 0) |
                                      kPp[static_cast<unsigned>(row_.prefix)]);
    if (row_.map == Map::Map0f && !x && !b && !w_ && maybe(2)) {
      put(0xc5);
      put(static_cast<u8>((r ? 0 : 0x80) | last));
      return;
    }
    put(0xc4);
    put(static_cast<u8>((r ? 0 : 0x80) | (x ? 0 : 0x40) | (b ? 0 : 0x20) |
                        static_cast<u8>(row_.map)));
    put(static_cast<u8>((w_ ? 0x80 : 0) | last));
  }

  void put_opcode() {
    if (row_.vex) {
      put_vex();
    } else if (row_.map != Map::OneByte) {
      put(0x0f);
      if (row_.map != Map::Map0f) put(row_.map == Map::Map0f38 ? 0x38 : 0x3a);
    }
    put(static_cast<u8>(row_.opcode + (low_ & (row_.opcodes - 1))));
  }

  void put_modrm() {
    const auto reg = static_cast<u8>((reg_ & 7) << 3);
    if (row_.second >= 0) return put(static_cast<u8>(row_.second));
    if (!in_memory_) {
      const unsigned mod = row_.is(IgnoreMod) ? below(4) : 3;
      return put(static_cast<u8>(mod << 6 | reg | (rm_ & 7)));
    }
    if (mode_.base) return put_base(reg);
    if (address_size() == 2) return put_memory16(reg);
    const unsigned mod = below(3);
    const auto rm = static_cast<u8>(row_.is(Vsib) ? 4 : rm_ & 7);
    put(static_cast<u8>(mod << 6 | reg | rm));
    if (rm == 4) put(static_cast<u8>(below(4) << 6 | (index_ & 7) << 3 | (rm_ & 7)));
    const bool no_base = mod == 0 && (rm == 4 ? rm_ & 7 : rm) == 5;
    put_random(mod == 1 ? 1 : mod == 2 || no_base ? 4 : 0);
  }

  void put_memory16(u8 reg) {
    const unsigned mod = below(3);
    put(static_cast<u8>(mod << 6 | reg | (rm_ & 7)));
    put_random(mod == 1 ? 1 : mod == 2 || (rm_ & 7) == 6 ? 2 : 0);
  }

  /// [base]; with RSP through a SIB byte, with RBP and in 16-bit code with a displacement of 0.
  void put_base(u8 reg) {
    const u8 base = *mode_.base & 7;
    if (address_size() == 2) {
      constexpr std::array<u8, 8> kRm{7, 7, 7, 7, 6, 6, 4, 5};  // BX for those that cannot be
      put(static_cast<u8>(0x40 | reg | kRm[base]));
      return put(0);
    }
    const bool sib = base == 4 || row_.is(Vsib);
    put(static_cast<u8>(0x40 | reg | (sib ? 4 : base)));
    if (sib) put(static_cast<u8>((row_.is(Vsib) ? (index_ & 7) << 3 : 0x20) | base));
    put(0);
  }

  void put_immediate(const OperandSpec& spec) {
    const unsigned z = operand_size() == 2 ? 2 : 4;
    switch (spec.method) {
      case Method::I:
      case Method::J: return put_random(immediate_size(spec.type));
      case Method::O: return put_random(address_size());
      case Method::A: return put_random(z + 2);
      case Method::L: return put(static_cast<u8>(below(registers()) << 4 | below(16)));
      default: return;
    }
  }
  unsigned immediate_size(Type type) const {
    if (type == Type::B || type == Type::Bs) return 1;
    if (type == Type::W) return 2;
    if (row_.is(Near64) && long_mode_ && !mode_.amd) return 4;
    return type == Type::V ? operand_size() : operand_size() == 2 ? 2 : 4;
  }

  const Row& row_;
  Random& random_;
  const GenerateMode& mode_;
  std::vector<u8>& bytes_;
  bool long_mode_;
  bool w_{}, l_{}, operand_prefix_{}, address_prefix_{}, in_memory_{};
  u8 reg_{}, rm_{}, low_{}, vvvv_{}, index_{};
};

}  // namespace

bool generate(const Row& row, Random& random, const GenerateMode& mode, std::vector<u8>& bytes) {
  return Generator(row, random, mode, bytes).run();
}

}  // namespace rhea::x86::isa
