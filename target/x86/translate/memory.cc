// SPDX-License-Identifier: GPL-2.0-or-later
// Accesses to guest memory: addresses, and the look into the TLB before each.
#include "target/x86/translate/translator.h"

#include <cstdint>

namespace rhea::x86::translating {
namespace {

constexpr i64 kPageMask = -0x1000;
constexpr i32 kLongest = 15;

unsigned host_or_none(unsigned reg) { return reg >= kNoReg ? unsigned{Mem::kNone} : guest(reg); }
bool is_home(unsigned reg) { return reg < kRip && guest(reg) == kHome; }

}  // namespace

bool Translator::reaches(const Insn& insn) const {
  if (insn.base == kRip && insn.disp > INT32_MAX - 0x1000 - kLongest) return false;
  if (mode.long_mode()) {
    // An address that is computed a second time has one scratch register.
    return plain(insn) || !(is_home(insn.base) && is_home(insn.index));
  }
  return true;
}

// base + index << scale + disp, cut to the address size. kScratch1 is left alone unless both base
// and index lie in memory.
void Translator::effective_address(const Insn& insn, unsigned to) {
  Mem m{.scale = insn.scale, .disp = insn.disp};
  if (insn.index < kNoReg) {
    if (is_home(insn.index)) {
      const unsigned scratch = is_home(insn.base) || insn.base == kRip ? kScratch1 : kScratch0;
      a.load(8, scratch, state.gpr(insn.index));
      m.index = static_cast<u8>(scratch);
    } else {
      m.index = static_cast<u8>(guest(insn.index));
    }
  }
  if (insn.base == kRip) {
    a.load(8, kScratch0, state.page_rip);
    m.base = kScratch0;
    m.disp += static_cast<i32>(next_offset());
  } else if (is_home(insn.base)) {
    a.load(8, kScratch0, state.gpr(insn.base));
    m.base = kScratch0;
  } else {
    m.base = static_cast<u8>(host_or_none(insn.base));
  }
  if (insn.address_size == 8) return a.lea(8, to, m);
  a.lea(4, to, m);
  if (insn.address_size == 2) a.op(4, {.byte = 0xb7, .map = Opcode::Map0f}, to, to);  // MOVZX
}

// The page's TLB entry must be the first byte's, and its page the last byte's: an access over the
// end of a page finds none. What has to be aligned and is not finds none either, for its low bits
// are compared too. Leaves what is to be added to the address in kScratch1.
void Translator::probe(unsigned address, Access access, Reach reach) {
  find_tlb_entry(address, access.write);
  const auto last = static_cast<i32>(access.size) - 1;
  if (access.aligned)
    a.mov(kScratch0, address);
  else
    a.lea(8, kScratch0, {.base = static_cast<u8>(address), .disp = last});
  compare_page(access.aligned ? kPageMask | last : kPageMask, reaching(reach, access));
}

void Translator::probe_up_to(unsigned address, const Mem& last, bool write, Record miss) {
  find_tlb_entry(address, write);
  a.lea(address_width(), kScratch0, last);
  compare_page(kPageMask, miss);
}

/// The entry's address into kScratch1.
void Translator::find_tlb_entry(unsigned address, bool write) {
  if (host_has.bmi2) {
    a.vex({.byte = 0xf0, .map = 3, .pp = 3, .w = true}, kScratch1, 0, address);  // RORX
    a.imm(TlbView::kByteShift, 1);
  } else {
    a.mov(kScratch1, address);
    a.shift_imm(8, kShr, kScratch1, TlbView::kByteShift);
  }
  a.alu(8, kAnd, kScratch1, state.table_mask);
  a.alu(8, kAdd, kScratch1, write ? state.write_table : state.read_table);
}

/// What of the address in kScratch0 is in `mask` must be the entry's page.
void Translator::compare_page(i64 mask, Record miss) {
  a.alu_imm(8, kAnd, kScratch0, mask);
  a.alu(8, kCmp, kScratch0, Mem{.base = kScratch1});
  call_if(kNotEqual, miss);
  a.load(8, kScratch1, {.base = kScratch1, .disp = 8});
}

Mem Translator::memory(const Insn& insn, Access access, Reach reach) {
  // An x87 exception that waits comes before the access.
  if ((resident_ & kResidentX87) != 0) reach = Reach::Unknown;
  if (is_segmented(insn.seg))
    return in_segment(insn.seg, access, reach, [&] { effective_address(insn, kScratch0); });
  const bool by_register =
      plain(insn) && insn.index >= kNoReg && insn.base < kRip && !is_home(insn.base);
  if (by_register && is_near(insn.base, insn.disp, access))
    return near_memory(insn.base, insn.disp, access, reach);
  keep_flags_for_calls();
  const bool one_register = by_register && insn.disp == 0;
  unsigned address = kScratch0;
  if (one_register)
    address = guest(insn.base);
  else
    effective_address(insn, kScratch0);
  if (mode.long_mode() && insn.seg >= Fs) a.alu(8, kAdd, kScratch0, state.segment_base(insn.seg));
  probe(address, access, reach);
  flags_lost();
  const Mem made = finish_address(insn);
  if (by_register) set_near(insn.base, insn.disp, access);
  return made;
}

// The address once more, of kScratch1, and registers of the guest where they can be had.
Mem Translator::finish_address(const Insn& insn) {
  if (!plain(insn)) {
    effective_address(insn, kScratch0);
    if (mode.long_mode() && insn.seg >= Fs) a.alu(8, kAdd, kScratch0, state.segment_base(insn.seg));
    a.alu(8, kAdd, kScratch1, kScratch0);
    return {.base = kScratch1};
  }
  Mem m{.base = kScratch1, .disp = insn.disp};
  if (insn.base == kRip) {
    a.alu(8, kAdd, kScratch1, state.page_rip);
    m.disp += static_cast<i32>(next_offset());
  } else if (is_home(insn.base)) {
    a.alu(8, kAdd, kScratch1, state.gpr(insn.base));
  } else if (insn.base < kRip) {
    if (insn.index >= kNoReg)
      m.index = static_cast<u8>(guest(insn.base));
    else
      a.alu(8, kAdd, kScratch1, guest(insn.base));
  }
  if (insn.index >= kNoReg) return m;
  if (is_home(insn.index)) {
    a.load(8, kScratch0, state.gpr(insn.index));
    if (insn.scale != 0) a.shift_imm(8, kShl, kScratch0, insn.scale);
    a.alu(8, kAdd, kScratch1, kScratch0);
  } else {
    m.index = static_cast<u8>(guest(insn.index));
    m.scale = insn.scale;
  }
  return m;
}

void Translator::pointer_address(const Pointer& pointer) {
  a.lea(pointer.width == 8 ? 8 : 4, kScratch0,
        {.base = static_cast<u8>(host_or_none(pointer.reg)), .disp = pointer.disp});
  if (pointer.width == 2) a.op(4, {.byte = 0xb7, .map = Opcode::Map0f}, kScratch0, kScratch0);
}

Mem Translator::memory(unsigned segment, const Pointer& pointer, Access access, Reach reach) {
  if (is_segmented(segment))
    return in_segment(segment, access, reach, [&] { pointer_address(pointer); });
  const bool wide = pointer.width == 8;
  if (wide && is_near(pointer.reg, pointer.disp, access))
    return near_memory(pointer.reg, pointer.disp, access, reach);
  keep_flags_for_calls();
  const auto base = static_cast<u8>(guest(pointer.reg));
  if (!wide || pointer.disp != 0) pointer_address(pointer);
  probe(wide && pointer.disp == 0 ? base : kScratch0, access, reach);
  flags_lost();
  if (wide) {
    set_near(pointer.reg, pointer.disp, access);
    return {.base = kScratch1, .index = base, .disp = pointer.disp};
  }
  pointer_address(pointer);
  a.alu(8, kAdd, kScratch1, kScratch0);
  return {.base = kScratch1};
}

// ---- Segments that are not flat: their base and their end are looked up each time, so that code
// does not depend on them.

bool Translator::is_segmented(unsigned segment) const {
  return !mode.long_mode() &&
         !(mode.flat_data && (segment == Ds || segment == Es || segment == Ss));
}

/// `offset` makes the offset in kScratch0, without kScratch1.
template <class Compute>
Mem Translator::in_segment(unsigned segment, Access access, Reach reach, Compute offset) {
  keep_flags_for_calls();
  offset();
  a.lea(8, kScratch1, {.base = kScratch0, .disp = static_cast<i32>(access.size)});
  a.alu(8, kCmp, kScratch1, state.segment_end(segment, access.write));
  call_if(kAbove);
  a.alu(4, kAdd, kScratch0, state.segment_base(segment));
  probe(kScratch0, access, reach);
  flags_lost();
  offset();
  a.alu(4, kAdd, kScratch0, state.segment_base(segment));
  a.alu(8, kAdd, kScratch1, kScratch0);
  return {.base = kScratch1};
}

}  // namespace rhea::x86::translating
