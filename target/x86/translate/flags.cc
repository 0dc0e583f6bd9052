// SPDX-License-Identifier: GPL-2.0-or-later
// The status flags between the host's and memory.
#include "target/x86/translate/translator.h"

namespace rhea::x86::translating {

void Translator::flags_to_memory() {
  if (in_memory_) return;
  flags_to_host();
  in_memory_ = true;
  save_flags();
}

void Translator::keep_flags_for_calls() {
  if (source_.kind == FlagSource::Kind::None) flags_to_memory();
}

// LAHF and SETO into AX, which comes back.
void Translator::save_flags() {
  a.mov(kScratch0, host::kRax);
  a.byte(0x9f);                                                                 // LAHF
  a.op(1, {.byte = 0x90, .map = Opcode::Map0f, .digit = true}, 0, host::kRax);  // SETO AL
  a.store(2, state.flags, host::kRax);
  a.mov(host::kRax, kScratch0);
}

// Adding 0x7f overflows if OF was set; SAHF leaves it.
void Translator::flags_to_host() {
  if (in_host_) return;
  in_host_ = true;
  if (source_.kind != FlagSource::Kind::None) return make_flags(source_);
  flags_from_memory();
}

void Translator::flags_from_memory() {
  a.mov(kScratch0, host::kRax);
  a.op(4, {.byte = 0xb7, .map = Opcode::Map0f}, host::kRax, state.flags);  // MOVZX
  a.alu_imm(1, kAdd, host::kRax, 0x7f);
  a.byte(0x9e);  // SAHF
  a.mov(host::kRax, kScratch0);
}

// Once more, in kScratch0 where the old value has to be made first.
void Translator::make_flags(const FlagSource& source) {
  using enum FlagSource::Kind;
  const unsigned left = guest(source.left), size = source.size;
  const bool immediate = source.right == kNoReg;
  const unsigned right = immediate ? 0 : guest(source.right);
  const auto operate = [&](Alu what, unsigned to) {
    if (immediate)
      a.alu_imm(size, what, to, source.imm);
    else
      a.alu(size, what, to, right);
  };
  switch (source.kind) {
    case None: return;
    case Compare: return operate(kCmp, left);
    case And:
      if (!immediate) return a.op(size, {.byte = size == 1 ? u8{0x84} : u8{0x85}}, right, left);
      a.op(size, {.byte = size == 1 ? u8{0xf6} : u8{0xf7}, .digit = true}, 0, left);
      return a.imm(static_cast<u64>(source.imm), size == 8 ? 4 : size);
    case Sum:
    case Difference:
      a.mov(kScratch0, left);
      operate(source.kind == Sum ? kSub : kAdd, kScratch0);
      return operate(source.kind == Sum ? kAdd : kSub, kScratch0);
  }
}

// Before an instruction that may write what the flags could be made from.
void Translator::settle_flags(const Insn& insn, const Emitter* emitter) {
  if (source_.kind == FlagSource::Kind::None) return;
  const isa::FlagUse& use = isa::rows()[insn.row].flags;
  // It makes new ones, and is called, if at all, before it has written anything.
  if (emitter != nullptr && use.reads == 0 && (use.writes | use.undefined) == eflags::kStatus &&
      !emitter->may_fault)
    return;
  const Clobbers clobbers = emitter != nullptr ? emitter->clobbers : Clobbers::Any;
  const Operand& first = insn.op[0];
  const bool writes_first = first.kind == OperandKind::Gpr && source_.is_of(first.reg & 15U);
  const bool writes_stack =
      clobbers == Clobbers::Stack && (source_.is_of(Rsp) || source_.is_of(Rbp));
  const bool writes_any = clobbers == Clobbers::Any || clobbers == Clobbers::Result;
  if (!writes_any && !writes_first && !writes_stack) return;
  if (!in_host_) flags_to_memory();
  source_ = {};
}

}  // namespace rhea::x86::translating
