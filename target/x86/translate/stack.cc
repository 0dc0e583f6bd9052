// SPDX-License-Identifier: GPL-2.0-or-later
// PUSH, POP, PUSHA, POPA, LEAVE.
#include "target/x86/interp/step.h"
#include "target/x86/translate/translator.h"

#include <algorithm>
#include <array>

namespace rhea::x86::translating {
namespace {

/// PUSH in 64-bit mode has 8 bytes, or with a prefix 2, which are called.
bool is_usual(const Translator& t, const Insn& insn) {
  return (!t.mode.long_mode() || insn.operand_size == 8) && (!insn.memory() || t.reaches(insn));
}

void move_stack(Translator& t, i32 by) {
  t.a.lea(t.stack_width(), kGuestRsp, {.base = kGuestRsp, .disp = by});
  t.moved_stack(by);
}

bool push(Translator& t, const Insn& insn) {
  if (!is_usual(t, insn)) return false;
  const unsigned size = insn.operand_size;
  if (is_memory(insn.op[0])) {
    const Mem from = t.memory(insn, {.size = size});
    t.a.load(size, kScratch0, from);
    t.a.store(8, t.state.temporary, kScratch0);
  }
  const auto down = -static_cast<i32>(size);
  const Mem m = t.stack(Rsp, down, {.size = size, .write = true});
  if (is_memory(insn.op[0])) {
    t.a.load(8, kScratch0, t.state.temporary);
    t.a.store(size, m, kScratch0);
  } else if (insn.op[0].kind == OperandKind::Immediate) {
    t.a.op(size, {.byte = 0xc7, .digit = true}, 0, m);
    t.a.imm(insn.imm, size == 2 ? 2 : 4);
  } else {
    t.a.store(size, m, t.value(insn.op[0].reg, kScratch0));
  }
  move_stack(t, down);
  return true;
}

// POP rSP: the value popped wins over the increment.
bool pop(Translator& t, const Insn& insn) {
  if (!is_usual(t, insn) || is_memory(insn.op[0])) return false;
  const unsigned size = insn.operand_size, reg = insn.op[0].reg;
  if (reg == Rsp && size < t.stack_width()) return false;  // the rest of it is incremented
  const Mem m = t.stack(Rsp, 0, {.size = size});
  t.a.load(size, t.result(reg, kScratch0, size, false), m);
  t.finish(reg, kScratch0);
  if (reg != Rsp) move_stack(t, static_cast<i32>(size));
  return true;
}

/// All eight at once: RSP as it was, or, when popped, left alone.
bool push_all(Translator& t, const Insn& insn) {
  const unsigned size = insn.operand_size;
  const auto down = -static_cast<i32>(8 * size);
  Mem m = t.stack(Rsp, down, {.size = 8 * size, .write = true});
  for (unsigned reg = 8; reg-- > 0; m.disp += static_cast<i32>(size))
    t.a.store(size, m, guest(reg));
  move_stack(t, down);
  return true;
}

bool pop_all(Translator& t, const Insn& insn) {
  const unsigned size = insn.operand_size;
  Mem m = t.stack(Rsp, 0, {.size = 8 * size});
  for (unsigned reg = 8; reg-- > 0; m.disp += static_cast<i32>(size))
    if (reg != Rsp) t.a.load(size, guest(reg), m);
  move_stack(t, static_cast<i32>(8 * size));
  return true;
}

bool leave(Translator& t, const Insn& insn) {
  if (!is_usual(t, insn)) return false;
  const unsigned size = insn.operand_size;
  const Mem m = t.stack(Rbp, 0, {.size = size});
  t.a.lea(t.stack_width(), kGuestRsp, {.base = host::kRbp, .disp = static_cast<i32>(size)});
  t.a.load(size, host::kRbp, m);
  return true;
}

/// Longer than what kernels push at an entry.
constexpr unsigned kLongestRun = 16;

enum class Joins : u8 { Nothing, Pushes, Pops };

/// Whose neighbours it can be done together with.
Joins joins(const Insn& insn) {
  const Operand& op = insn.op[0];
  if (is_undefined(insn) || insn.operand_size != 8) return Joins::Nothing;
  const bool gpr = op.kind == OperandKind::Gpr && op.reg != Rsp;
  const std::string_view name = isa::rows()[insn.row].mnemonic;
  if (name == "push" && (gpr || op.kind == OperandKind::Immediate)) return Joins::Pushes;
  return name == "pop" && gpr ? Joins::Pops : Joins::Nothing;
}

constexpr std::array kEmitters{
    Emitter{"push", &push, true, Clobbers::Stack},
    Emitter{"pop", &pop, true, Clobbers::Stack},
    Emitter{"pusha", &push_all, true},
    Emitter{"popa", &pop_all, true},
    Emitter{"leave", &leave, true, Clobbers::Stack},
};

}  // namespace

std::span<const Emitter> stack_emitters() { return kEmitters; }

unsigned Translator::stack_run() const {
  if (!mode.long_mode()) return 1;
  const Joins what = joins(insns_[index_]);
  if (what == Joins::Nothing) return 1;
  const std::size_t most = std::min<std::size_t>(insns_.size() - index_, kLongestRun);
  unsigned count = 1;
  while (count < most && joins(insns_[index_ + count]) == what) ++count;
  return count;
}

void Translator::emit_stack_run(unsigned count) {
  const bool push = joins(insns_[index_]) == Joins::Pushes;
  const auto bytes = static_cast<i32>(8 * count);
  record_ = record();
  for (const Insn& insn : insns_.subspan(index_, count)) settle_flags(insn, emitter_of(insn.row));
  result_->starts.push_back(a.offset());
  near_ = {};
  const Mem top = stack(Rsp, push ? -bytes : 0, {.size = 8 * count, .write = push});
  Cold& miss = cold_.back();
  miss.kind = ColdKind::StackRun;
  miss.what = Record(record_).bits();
  miss.count = static_cast<u8>(count);
  const std::size_t number = cold_.size() - 1;
  for (unsigned n = 0; n < count; ++n) {
    if (n > 0) result_->starts.push_back(a.offset());
    const Insn& insn = insns_[index_];
    Mem at = top;
    at.disp = push ? -static_cast<i32>(8 * (n + 1)) : static_cast<i32>(8 * n);
    if (!push) {
      const unsigned reg = insn.op[0].reg;
      a.load(8, result(reg, kScratch0, 8, false), at);
      finish(reg, kScratch0);
    } else if (insn.op[0].kind == OperandKind::Immediate) {
      a.op(8, {.byte = 0xc7, .digit = true}, 0, at);
      a.imm(insn.imm, 4);
    } else {
      a.store(8, at, value(insn.op[0].reg, kScratch0));
    }
    next_insn();
  }
  a.lea(8, kGuestRsp, {.base = kGuestRsp, .disp = push ? -bytes : bytes});
  moved_stack(push ? -bytes : bytes);
  stack_moved_ = false;
  cold_[number].back = a.here();
  if (near_holds()) cold_[number].near = near_;
}

// On two pages, or on one that there is no entry for: one instruction after the other.
void Translator::emit_stack_calls(const Cold& cold) {
  settle_for_call(cold);
  const Record first(static_cast<u32>(cold.what));
  unsigned offset = first.offset();
  for (unsigned n = first.index(); n < first.index() + cold.count; ++n) {
    const bool push = joins(insns_[n]) == Joins::Pushes;
    a.mov_imm(kScratch0, Record(n, offset, false)
                             .reaching(push ? Reach::Push : Reach::Pop, {.size = 8, .write = push})
                             .bits());
    Assembler::bind(a.call(), call_);
    offset += insns_[n].length;
  }
  find_near_again(cold, i64{offset});
  Assembler::bind(a.jmp(), cold.back);
}

}  // namespace rhea::x86::translating
