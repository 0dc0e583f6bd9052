// SPDX-License-Identifier: GPL-2.0-or-later
// MOV, PUSH and POP with segment registers. Loads are emitted for real mode, where they change a
// base; what else a descriptor may bring is called.
#include "target/x86/translate/translator.h"

#include <array>

namespace rhea::x86::translating {
namespace {

constexpr Opcode kMovzx16{.byte = 0xb7, .map = Opcode::Map0f};

/// In real mode, limit and attributes stay; where they are the usual ones, so does what code means.
bool may_load(unsigned segment) {
  return segment < Fs ? segment != Ss && segment != Cs : segment <= Gs;
}

void want_real_mode(Translator& t, unsigned segment) {
  t.keep_flags_for_calls();
  t.a.op(1, {.byte = 0xf6, .digit = true}, 0, t.state.cr0);  // TEST
  t.a.imm(cr0::kPe, 1);
  t.call_if(kNotEqual);
  t.a.alu_imm(8, kCmp, t.state.segment_end(segment, true), 0x10000);
  t.call_if(kNotEqual);
  t.flags_lost();
}

/// The selector in kScratch0.
void load_real(Translator& t, unsigned segment) {
  t.a.store(2, t.state.selector(segment), kScratch0);
  t.a.shift_imm(4, kShl, kScratch0, 4);
  t.a.store(8, t.state.segment_base(segment), kScratch0);
}

bool move_to_segment(Translator& t, const Insn& insn) {
  const unsigned segment = insn.op[0].reg;
  if (t.mode.long_mode() || !may_load(segment)) return false;
  want_real_mode(t, segment);
  if (is_memory(insn.op[1]))
    t.a.op(4, kMovzx16, kScratch0, t.memory(insn, {.size = 2}));
  else
    t.a.op(4, kMovzx16, kScratch0, t.value(insn.op[1].reg, kScratch0));
  load_real(t, segment);
  return true;
}

bool move(Translator& t, const Insn& insn) {
  if (insn.memory() && !t.reaches(insn)) return false;
  if (insn.op[0].kind == OperandKind::Segment) return move_to_segment(t, insn);
  const Mem selector = t.state.selector(insn.op[1].reg);
  if (is_memory(insn.op[0])) {
    const Mem m = t.memory(insn, {.size = 2, .write = true});
    t.a.op(4, kMovzx16, kScratch0, selector);
    t.a.store(2, m, kScratch0);
    return true;
  }
  const unsigned reg = insn.op[0].reg;
  if (insn.operand_size == 2)
    t.a.load(2, t.result(reg, kScratch0, 2, true), selector);
  else
    t.a.op(4, kMovzx16, t.result(reg, kScratch0, 8, false), selector);
  t.finish(reg, kScratch0);
  return true;
}

/// How much of a slot of 32 bits is written or read depends on the processor's vendor.
bool has_usual_slot(const Translator& t, const Insn& insn) {
  return insn.operand_size == (t.mode.long_mode() ? 8 : 2);
}

void move_stack(Translator& t, i32 by) {
  t.a.lea(t.stack_width(), kGuestRsp, {.base = kGuestRsp, .disp = by});
  t.moved_stack(by);
}

bool push(Translator& t, const Insn& insn) {
  if (!has_usual_slot(t, insn)) return false;
  const unsigned size = insn.operand_size;
  const Mem m = t.stack(Rsp, -static_cast<i32>(size), {.size = size, .write = true});
  t.a.op(4, kMovzx16, kScratch0, t.state.selector(insn.op[0].reg));
  t.a.store(size, m, kScratch0);
  move_stack(t, -static_cast<i32>(size));
  return true;
}

bool pop(Translator& t, const Insn& insn) {
  const unsigned segment = insn.op[0].reg;
  if (t.mode.long_mode() || !has_usual_slot(t, insn) || !may_load(segment)) return false;
  want_real_mode(t, segment);
  t.a.op(4, kMovzx16, kScratch0, t.stack(Rsp, 0, {.size = 2}));
  load_real(t, segment);
  move_stack(t, 2);
  return true;
}

constexpr std::array kEmitters{
    Emitter{"movseg", &move, true, Clobbers::First},
    Emitter{"pushseg", &push, true, Clobbers::Stack},
    Emitter{"popseg", &pop, true, Clobbers::Stack},
};

}  // namespace

std::span<const Emitter> segment_emitters() { return kEmitters; }

}  // namespace rhea::x86::translating
