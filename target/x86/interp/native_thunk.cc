// SPDX-License-Identifier: GPL-2.0-or-later
// Host code for one form of a vector instruction.
#include "target/x86/interp/native_thunk.h"

#include <algorithm>
#include <initializer_list>

namespace rhea::x86::interp {
namespace {

using isa::MandatoryPrefix;

// Register numbers of RDI, RSI, RDX, RCX, R8, R9: a Thunk's arguments.
constexpr unsigned kMemory = 7, kXmm0Pointer = 8, kGprPointer = 9;
constexpr std::array<unsigned, kPlaces> kPointer{6, 2, 1, 8};

/// The host's register for each place. XMM0 stays free for who implies it; the general ones are
/// EAX and ECX, whose pointers are no longer needed when they are loaded.
unsigned host_register(Bank bank, Place place) {
  const auto n = static_cast<unsigned>(place);
  return bank == Bank::Gpr ? n : n + 1;
}

class Emitter {
 public:
  explicit Emitter(bool vex) : vex_(vex) {}

  void bytes(std::initializer_list<unsigned> values) {
    for (const unsigned value : values) code_.push_back(static_cast<u8>(value));
  }
  void load(Bank bank, unsigned reg, unsigned pointer) { move(bank, reg, pointer, false); }
  void store(Bank bank, unsigned reg, unsigned pointer) { move(bank, reg, pointer, true); }
  /// MOV between a 64-bit register and [R9 + 8 * n].
  void load_gpr(unsigned n) { bytes({0x49, 0x8b, 0x41 | n << 3, n * 8}); }
  void store_gpr(unsigned n) { bytes({0x49, 0x89, 0x41 | n << 3, n * 8}); }
  std::vector<u8> take() { return std::move(code_); }

 private:
  void move(Bank bank, unsigned reg, unsigned pointer, bool to_memory) {
    const unsigned modrm = reg << 3 | (pointer & 7);
    const unsigned high = pointer >> 3;
    switch (bank) {
      case Bank::None: return;
      case Bank::Gpr: return bytes({0x48 | high, to_memory ? 0x89u : 0x8bu, modrm});        // MOV
      case Bank::Mmx: return bytes({0x40 | high, 0x0f, to_memory ? 0x7fu : 0x6fu, modrm});  // MOVQ
      case Bank::Vector:
        if (vex_)  // VMOVUPS, 256 bits
          return bytes({0xc4, high != 0 ? 0xc1u : 0xe1u, 0x7c, to_memory ? 0x11u : 0x10u, modrm});
        return bytes({0x40 | high, 0x0f, to_memory ? 0x11u : 0x10u, modrm});  // MOVUPS
    }
  }

  std::vector<u8> code_;
  bool vex_;
};

/// PCMPxSTRx: lengths in EAX and EDX, results in ECX or XMM0.
struct StringCompare {
  bool is{}, explicit_lengths{}, to_xmm0{};
  explicit StringCompare(std::string_view mnemonic) {
    const size_t at = mnemonic.find("pcmp");
    if (at > 1 || mnemonic.size() - at != 9 || mnemonic.substr(at + 5, 3) != "str") return;
    is = true;
    explicit_lengths = mnemonic[at + 4] == 'e';
    to_xmm0 = mnemonic.back() == 'm';
  }
};

void emit_prefix_and_opcode(Emitter& out, const NativeForm& form, const Insn& insn,
                            const isa::Row& row) {
  const unsigned prefix = row.prefix == MandatoryPrefix::Np ? 0 : static_cast<unsigned>(row.prefix);
  const auto map = static_cast<unsigned>(row.map);
  const unsigned wide = native_wide(insn, row) ? 1 : 0;
  if (row.vex) {
    const Bank bank = form.bank[static_cast<unsigned>(Place::Vvvv)];
    const unsigned vvvv = bank == Bank::None ? 0 : host_register(bank, Place::Vvvv);
    // R, X and B are inverted: no register above 7 is named.
    out.bytes({0xc4, 0xe0 | map,
               wide << 7 | (~vvvv & 15) << 3 | (insn.has(kVexL) ? 4u : 0u) | prefix, row.opcode});
    return;
  }
  constexpr std::array<unsigned, 4> kPrefixes{0, 0x66, 0xf3, 0xf2};
  if (kPrefixes[prefix] != 0) out.bytes({kPrefixes[prefix]});
  if (wide != 0) out.bytes({0x48});
  out.bytes({0x0f});
  if (row.map == isa::Map::Map0f38) out.bytes({0x38});
  if (row.map == isa::Map::Map0f3a) out.bytes({0x3a});
  out.bytes({row.opcode});
}

void emit_operands(Emitter& out, const NativeForm& form, const Insn& insn, const isa::Row& row) {
  const auto number = [&](Place place) {
    return host_register(form.bank[static_cast<unsigned>(place)], place);
  };
  const unsigned reg =
      row.extension >= 0 ? static_cast<unsigned>(row.extension) : number(Place::Reg);
  const bool memory = form.memory_operand != NativeForm::kNoOperand;
  out.bytes({memory ? reg << 3 | kMemory : 0xc0 | reg << 3 | number(Place::Rm)});
  const auto immediates = std::ranges::count(insn.op, OperandKind::Immediate, &Operand::kind);
  if (form.bank[static_cast<unsigned>(Place::Is4)] != Bank::None)
    out.bytes({number(Place::Is4) << 4});
  else if (immediates > 0)
    out.bytes({static_cast<unsigned>(insn.imm & 0xff)});
  if (immediates > 1) out.bytes({insn.imm2 & 0xffu});  // EXTRQ, INSERTQ
}

}  // namespace

bool wide_by_operand_size(const isa::Row& row) {
  const bool general = std::ranges::any_of(
      row.operand, [](const isa::OperandSpec& spec) { return spec.type == isa::Type::Y; });
  return !row.vex || general || StringCompare(row.mnemonic).is;
}

bool native_wide(const Insn& insn, const isa::Row& row) {
  return wide_by_operand_size(row) ? insn.operand_size == 8 : insn.has(kRexW);
}

std::vector<u8> native_thunk(const NativeForm& form, const Insn& insn, const isa::Row& row) {
  Emitter out(row.vex);
  const StringCompare string(row.mnemonic);
  // From the last to the first: ECX and EAX come after the pointers in RCX and RDX were used.
  for (unsigned n = kPlaces; n-- > 0;)
    out.load(form.bank[n], host_register(form.bank[n], static_cast<Place>(n)), kPointer[n]);
  if (form.xmm0) out.load(Bank::Vector, 0, kXmm0Pointer);
  if (string.explicit_lengths) {
    out.load_gpr(0);
    out.load_gpr(2);
  }

  emit_prefix_and_opcode(out, form, insn, row);
  emit_operands(out, form, insn, row);

  const auto to = static_cast<unsigned>(form.destination);
  if (string.is && string.to_xmm0)
    out.store(Bank::Vector, 0, kXmm0Pointer);
  else if (string.is)
    out.store_gpr(1);
  else if (!form.store && form.bank[to] != Bank::None)
    out.store(form.bank[to], host_register(form.bank[to], form.destination), kPointer[to]);
  if (form.sets_flags) out.bytes({0x9c, 0x58});                                // PUSHFQ; POP RAX
  if (std::ranges::count(form.bank, Bank::Mmx) != 0) out.bytes({0x0f, 0x77});  // EMMS
  if (row.vex) out.bytes({0xc5, 0xf8, 0x77});                                  // VZEROUPPER
  out.bytes({0xc3});
  return out.take();
}

}  // namespace rhea::x86::interp
