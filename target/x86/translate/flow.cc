// SPDX-License-Identifier: GPL-2.0-or-later
// From block to block.
#include "target/x86/translate/translator.h"

#include <cstddef>

namespace rhea::x86::translating {

void Translator::load_rip(unsigned to, i64 offset, bool cut) {
  a.load(8, to, state.page_rip);
  a.lea(address_width(), to, {.base = static_cast<u8>(to), .disp = static_cast<i32>(offset)});
  if (cut) a.op(4, {.byte = 0xb7, .map = Opcode::Map0f}, to, to);  // MOVZX
}

void Translator::call_if(Condition condition, Record record) {
  cold_.push_back({.kind = ColdKind::Call,
                   .from = a.jcc(condition),
                   .what = record.bits(),
                   .x87 = x87_,
                   .flags = in_memory_ ? FlagSource{} : source_});
}

void Translator::jump_site(u8* displacement, i64 offset) {
  const auto number = static_cast<u32>(result_->sites.size());
  result_->sites.push_back({.displacement = static_cast<u32>(displacement - a.start()),
                            .target = static_cast<u16>(offset)});
  cold_.push_back({.kind = ColdKind::Site, .from = displacement, .what = number});
}

void Translator::go_to(i64 offset, bool cut) {
  if (same_page(offset))
    jump_site(a.jmp(), offset);
  else
    go_to_page(offset, cut);
}

void Translator::go_to_if(Condition condition, i64 offset, bool cut) {
  u8* const displacement = a.jcc(condition);
  if (same_page(offset))
    jump_site(displacement, offset);
  else
    cold_.push_back({.kind = ColdKind::GoTo,
                     .from = displacement,
                     .what = record_,
                     .target = offset,
                     .cut = cut});
}

void Translator::go_on() {
  const i64 offset = next_offset();
  if (same_page(offset))
    jump_site(a.jmp(), offset);
  else
    go_on_by_rip(offset);
}

// Whoever jumps saves the flags, which are still the host's, out of line.
void Translator::exit_if(Condition condition, i64 offset, bool cut) {
  if (in_memory_) return go_to_if(condition, offset, cut);
  cold_.push_back({.kind = ColdKind::Exit,
                   .from = a.jcc(condition),
                   .what = record_,
                   .target = offset,
                   .cut = cut});
}

void Translator::go_to_page(i64 offset, bool cut) {
  load_rip(kScratch0, offset, cut);
  look_up();
  set_page_of_scratch();
  a.jmp_through({.base = kScratch1, .disp = 8});
}

// No instruction leads there that could be called instead.
void Translator::go_on_by_rip(i64 offset) {
  load_rip(kScratch0, offset);
  find_entry();
  u8* const elsewhere = a.jcc(kNotEqual);
  cold_.push_back(
      {.kind = ColdKind::Leave, .from = elsewhere, .found = a.here(), .what = left_at(offset)});
  set_page_of_scratch();
  a.jmp_through({.base = kScratch1, .disp = 8});
}

void Translator::look_up() {
  find_entry();
  call_if(kNotEqual);
  cold_.back().found = a.here();
}

// ZF says whether it is at kScratch1.
void Translator::find_entry() {
  static_assert(sizeof(JumpTable::Entry) == 16 && offsetof(JumpTable, entries) == 0);
  a.op(4, {.byte = 0x69}, kScratch1, kScratch0);  // IMUL
  a.imm(JumpTable::kFactor, 4);
  a.shift_imm(4, kShr, kScratch1, 32 - JumpTable::kShift - 4);
  a.alu_imm(4, kAnd, kScratch1, (JumpTable::kEntries - 1) << 4);
  a.alu(8, kAdd, kScratch1, state.jumps);
  a.alu(8, kCmp, kScratch0, Mem{.base = kScratch1});
}

// Out of line, where the first did not have it.
void Translator::try_other_way(const u8* found) {
  a.alu_imm(8, kXor, kScratch1, i64{sizeof(JumpTable::Entry)});
  a.alu(8, kCmp, kScratch0, Mem{.base = kScratch1});
  Assembler::bind(a.jcc(kEqual), found);
}

void Translator::set_page_of_scratch() {
  if (mode.flat_code) {
    a.alu_imm(8, kAnd, kScratch0, -0x1000);
    return a.store(8, state.page_rip, kScratch0);
  }
  a.store(8, state.page_rip, kScratch0);
  a.alu(4, kAdd, kScratch0, state.segment_base(Cs));
  a.alu_imm(4, kAnd, kScratch0, 0xfff);
  a.alu(8, kSub, state.page_rip, kScratch0);
}

}  // namespace rhea::x86::translating
