// SPDX-License-Identifier: GPL-2.0-or-later
// Accesses near the last one: by the same register, which has not been written since, so that its
// page is known; what was found for it still lies in kScratch1.
#include "target/x86/translate/translator.h"

#include <utility>

namespace rhea::x86::translating {
namespace {

constexpr i64 kPageBytes = 0x1000;
/// How far off they may be: what is farther is on another page too often.
constexpr i64 kFarthest = 256;

}  // namespace

bool Translator::is_near(unsigned base, i32 disp, Access access) const {
  if (!near_holds() || near_.base != base || access.aligned || (access.write && !near_.write))
    return false;
  const i64 from = i64{disp} - near_.disp, behind = from + access.size;
  return from >= 0 ? behind <= kFarthest : -from <= kFarthest && behind <= near_.size;
}

// The last one's offset in its page says whether this one lies in it, too. What lies within the
// last one does.
Mem Translator::near_memory(unsigned base, i32 disp, Access access, Reach reach) {
  const i64 from = i64{disp} - near_.disp, behind = from + access.size;
  near_used_[near_.number] = true;
  const Mem made{.base = kScratch1, .index = static_cast<u8>(guest(base)), .disp = disp};
  if (from >= 0 && behind <= near_.size) return made;
  keep_flags_for_calls();
  a.lea(4, kScratch0, {.base = made.index, .disp = near_.disp});
  a.alu_imm(4, kAnd, kScratch0, kPageBytes - 1);
  a.alu_imm(4, kCmp, kScratch0, from < 0 ? -from : kPageBytes - behind);
  call_if(from < 0 ? kBelow : kAbove, reaching(reach, access));
  flags_lost();
  // A way to write serves for reading, too, and stays one.
  set_near(base, disp, {.size = access.size, .write = near_.write});
  Cold& miss = cold_.back();
  miss.kind = ColdKind::Near;
  miss.found = a.here();
  miss.wanted = near_;
  return made;
}

void Translator::set_near(unsigned base, i32 disp, Access access) {
  near_ = {.base = static_cast<u8>(base),
           .write = access.write,
           .size = static_cast<u16>(access.size),
           .disp = disp,
           .number = static_cast<u32>(near_used_.size()),
           .r10_uses = a.r10_uses()};
  near_used_.push_back(false);
}

void Translator::moved_stack(i32 by) {
  if (near_.base == Rsp) near_.disp -= by;
  stack_moved_ = true;
}

// Behind an instruction: whether the register is what it was.
void Translator::settle_near(const Insn& insn, const Emitter* emitter) {
  const bool moved = std::exchange(stack_moved_, false);
  if (near_.base == kNoReg) return;
  const Clobbers clobbers = emitter != nullptr ? emitter->clobbers : Clobbers::Any;
  const Operand& first = insn.op[0];
  const bool writes_first = first.kind == OperandKind::Gpr && (first.reg & 15U) == near_.base;
  const bool writes_stack =
      clobbers == Clobbers::Stack && !moved && (near_.base == Rsp || near_.base == Rbp);
  if (clobbers == Clobbers::Any || writes_first || writes_stack) near_ = {};
}

/// Its entry into kScratch1; returns where the jump's displacement lies if it is another page's.
u8* Translator::find_near(const Near& what) {
  a.lea(8, kScratch0, {.base = static_cast<u8>(guest(what.base)), .disp = what.disp});
  find_tlb_entry(kScratch0, what.write);
  a.lea(8, kScratch0, {.base = kScratch0, .disp = i32{what.size} - 1});
  a.alu_imm(8, kAnd, kScratch0, -kPageBytes);
  a.alu(8, kCmp, kScratch0, Mem{.base = kScratch1});
  u8* const missing = a.jcc(kNotEqual);
  a.load(8, kScratch1, {.base = kScratch1, .disp = 8});
  return missing;
}

// Out of line: it was not on the last one's page.
void Translator::emit_near(const Cold& cold) {
  Cold call = cold;
  call.kind = ColdKind::Call;
  call.found = nullptr;
  call.from = find_near(cold.wanted);
  Assembler::bind(a.jmp(), cold.found);
  cold_.push_back(call);
}

// Out of line, behind an instruction that has been called: where others rely on what has been
// found, it is looked up anew. If nothing is found, the block is left behind the instruction.
void Translator::find_near_again(const Cold& cold, i64 next) {
  if (cold.near.base == kNoReg || !near_used_[cold.near.number]) return;
  cold_.push_back(
      {.kind = ColdKind::Leave, .from = find_near(cold.near), .what = left_early(next)});
  flags_from_memory();
}

}  // namespace rhea::x86::translating
