// SPDX-License-Identifier: GPL-2.0-or-later
// How the host executes a form of a vector instruction.
#include "target/x86/interp/native_form.h"

#include "target/x86/interp/native_code.h"
#include "target/x86/interp/native_thunk.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace rhea::x86::interp {

unsigned place_of(isa::Method method) {
  using enum isa::Method;
  switch (method) {
    case V:
    case P:
    case G: return static_cast<unsigned>(Place::Reg);
    case W:
    case U:
    case Q:
    case N:
    case E:
    case R: return static_cast<unsigned>(Place::Rm);
    case H:
    case B: return static_cast<unsigned>(Place::Vvvv);
    case L: return static_cast<unsigned>(Place::Is4);
    default: return kPlaces;
  }
}

namespace {

Bank bank_of(OperandKind kind) {
  switch (kind) {
    case OperandKind::Vector: return Bank::Vector;
    case OperandKind::Mmx: return Bank::Mmx;
    case OperandKind::Gpr: return Bank::Gpr;
    default: return Bank::None;
  }
}

/// Whether the result or the flags in MXCSR depend on MXCSR. More than there are does no harm.
bool is_floating_point(std::string_view mnemonic) {
  constexpr std::string_view kStems[] = {"add",  "sub",  "mul",   "div", "sqrt",  "min", "max",
                                         "cmp",  "comi", "ucomi", "cvt", "round", "dpp", "hadd",
                                         "hsub", "fm",   "fnm",   "rcp", "rsqrt"};
  if (mnemonic.starts_with('v')) mnemonic.remove_prefix(1);
  return std::ranges::any_of(kStems, [&](auto stem) { return mnemonic.starts_with(stem); });
}

bool implies_xmm0(const isa::Row& row) {
  constexpr std::string_view kThose[] = {"blendvps", "blendvpd", "pblendvb", "sha256rnds2"};
  return !row.vex && std::ranges::find(kThose, row.mnemonic) != std::end(kThose);
}

}  // namespace

// Of VEX instructions only the explicitly aligned moves want alignment (SDM vol. 2, table 2-21), of
// the others all with operands of 16 bytes but the explicitly unaligned.
u8 alignment_of(const isa::Row& row, unsigned size) {
  if (!row.vex) return size >= 16 && !row.is(isa::Unaligned) ? 16 : 1;
  constexpr std::string_view kAligned[] = {"vmovaps",  "vmovapd",  "vmovdqa",  "vmovntps",
                                           "vmovntpd", "vmovntdq", "vmovntdqa"};
  const bool aligned = std::ranges::find(kAligned, row.mnemonic) != std::end(kAligned);
  return static_cast<u8>(aligned ? size : 1);
}

namespace {

Gate gate_of(const NativeForm& form, const Insn& insn, const isa::Row& row) {
  const auto has = [&](OperandKind kind) {
    return std::ranges::count(insn.op, kind, &Operand::kind);
  };
  if (row.vex) return Gate::Avx;
  if (has(OperandKind::Mmx) == 0) return Gate::Sse;
  return has(OperandKind::Vector) != 0 || form.xmm0 ? Gate::SseMmx : Gate::Mmx;
}

void place_operands(NativeForm& form, const Insn& insn, const isa::Row& row) {
  for (u8 n = 0; n < insn.op.size(); ++n) {
    const unsigned place = place_of(row.operand[n].method);
    if (insn.op[n].kind == OperandKind::Memory) {
      form.memory_operand = n;
      form.store = n == 0;
    } else if (place < kPlaces) {
      form.bank[place] = bank_of(insn.op[n].kind);
      form.operand[place] = n;
      if (n == 0) form.destination = static_cast<Place>(place);
    }
  }
}

NativeForm describe(const Insn& insn, const isa::Row& row) {
  NativeForm form;
  place_operands(form, insn, row);
  form.xmm0 = implies_xmm0(row);
  form.floating_point = is_floating_point(row.mnemonic);
  form.sets_flags = row.flags.writes != 0;
  form.gate = gate_of(form, insn, row);
  if (form.memory_operand != NativeForm::kNoOperand)
    form.alignment = alignment_of(row, insn.op[form.memory_operand].size);
  return form;
}

/// One of the process, as every processor's instructions have the same forms. A guest can make up
/// at most a row's immediates times register or memory times L and W of them, all of which fit.
struct Forms {
  static constexpr size_t kCapacity = size_t{64} << 20;
  std::mutex lock;
  NativeCode code{kCapacity};
  std::unordered_map<u64, std::unique_ptr<const NativeForm>> by_key;
};

Forms& forms() {
  static Forms all;
  return all;
}

u64 key_of(const Insn& insn, const isa::Row& row) {
  const bool immediate = std::ranges::count(insn.op, OperandKind::Immediate, &Operand::kind) != 0;
  const u64 value = immediate ? (insn.imm & 0xff) | u64{insn.imm2 & 0xffu} << 8 : 0;
  const u64 bits =
      (insn.memory() ? 1u : 0u) | (insn.has(kVexL) ? 2u : 0u) | (native_wide(insn, row) ? 4u : 0u);
  return u64{insn.row} << 32 | value << 8 | bits;
}

}  // namespace

const NativeForm* native_form(const Insn& insn) {
  const isa::Row& row = isa::rows()[insn.row];
  Forms& all = forms();
  const std::scoped_lock guard(all.lock);
  auto& form = all.by_key[key_of(insn, row)];
  if (form == nullptr) {
    NativeForm made = describe(insn, row);
    made.code = reinterpret_cast<Thunk>(all.code.add(native_thunk(made, insn, row)));
    if (made.code == nullptr) return nullptr;
    form = std::make_unique<const NativeForm>(made);
  }
  return form.get();
}

size_t native_code_size() {
  Forms& all = forms();
  const std::scoped_lock guard(all.lock);
  return all.code.used();
}

}  // namespace rhea::x86::interp
