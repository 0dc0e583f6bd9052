// SPDX-License-Identifier: GPL-2.0-or-later
// What kernels execute at every entry and exit: flags of the system and SWAPGS. At other levels
// than 0 these are called.
#include "target/x86/translate/translator.h"

#include <array>

namespace rhea::x86::translating {
namespace {

void want_level_0(Translator& t) {
  t.flags_to_memory();
  t.a.alu_imm(1, kCmp, t.state.cpl, 0);
  t.flags_lost();
  t.call_if(kNotEqual);
}

bool clear_interrupts(Translator& t, const Insn&) {
  if (!t.mode.long_mode()) return false;
  want_level_0(t);
  t.a.alu_imm(4, kAnd, t.state.eflags, ~i64{eflags::kIf});
  return true;
}

bool clear_direction(Translator& t, const Insn&) {
  t.flags_to_memory();
  t.a.alu_imm(4, kAnd, t.state.eflags, ~i64{eflags::kDf});
  t.flags_lost();
  return true;
}

bool swap_gs(Translator& t, const Insn&) {
  if (!t.mode.long_mode()) return false;
  want_level_0(t);
  t.a.load(8, kScratch0, t.state.segment_base(Gs));
  t.a.load(8, kScratch1, t.state.kernel_gs_base);
  t.a.store(8, t.state.segment_base(Gs), kScratch1);
  t.a.store(8, t.state.kernel_gs_base, kScratch0);
  return true;
}

/// What PUSHF stores in 64-bit mode, into kScratch0. Uses both scratch registers.
void load_flags(Translator& t) {
  Mem carries = t.state.flags;
  ++carries.disp;
  constexpr i64 kSystem = ~i64{eflags::kStatus | eflags::kVm | eflags::kRf};
  t.a.op(4, {.byte = 0xb6, .map = Opcode::Map0f}, kScratch0, carries);        // MOVZX: AH
  t.a.op(4, {.byte = 0xb6, .map = Opcode::Map0f}, kScratch1, t.state.flags);  // OF
  t.a.alu_imm(4, kAnd, kScratch0, eflags::kStatus & 0xff);
  t.a.alu_imm(4, kAnd, kScratch1, 1);
  t.a.shift_imm(4, kShl, kScratch1, __builtin_ctz(eflags::kOf));
  t.a.alu(4, kOr, kScratch0, kScratch1);
  t.a.load(4, kScratch1, t.state.eflags);
  t.a.alu_imm(4, kAnd, kScratch1, kSystem);
  t.a.alu_imm(4, kOr, kScratch1, eflags::kFixed);
  t.a.alu(4, kOr, kScratch0, kScratch1);
}

bool push_flags(Translator& t, const Insn& insn) {
  if (!t.mode.long_mode() || insn.operand_size != 8) return false;
  t.flags_to_memory();
  load_flags(t);
  t.flags_lost();
  t.a.store(8, t.state.temporary, kScratch0);
  const Mem m = t.stack(Rsp, -8, {.size = 8, .write = true});
  t.a.load(8, kScratch0, t.state.temporary);
  t.a.store(8, m, kScratch0);
  t.a.lea(8, kGuestRsp, {.base = kGuestRsp, .disp = -8});
  return true;
}

constexpr std::array kEmitters{
    Emitter{"cli", &clear_interrupts, true, Clobbers::First},
    Emitter{"cld", &clear_direction, false, Clobbers::First},
    Emitter{"swapgs", &swap_gs, true, Clobbers::First},
    Emitter{"pushf", &push_flags, true, Clobbers::Stack},
};

}  // namespace

std::span<const Emitter> system_emitters() { return kEmitters; }

}  // namespace rhea::x86::translating
