// SPDX-License-Identifier: GPL-2.0-or-later
// MOVS, STOS and LODS upwards; with REP, the host's own on what lies within a page. All else of
// string instructions is called.
#include "target/x86/translate/translator.h"

#include <array>

namespace rhea::x86::translating {
namespace {

bool repeated(const Insn& insn) { return insn.has(kRep) || insn.has(kRepne); }

/// With REP flat segments, and addresses as wide as the code's: what a pointer keeps of its upper
/// bits otherwise depends on how far it gets.
bool is_usual(const Translator& t, const Insn& insn) {
  if (!t.reaches(insn)) return false;
  if (!repeated(insn) && !t.mode.long_mode()) return true;
  return insn.address_size == t.address_width() && (t.mode.long_mode() || t.mode.flat_data);
}

/// Downwards it is called.
void want_upwards(Translator& t) {
  t.flags_to_memory();
  const Mem direction{.base = t.state.eflags.base, .disp = t.state.eflags.disp + 1};
  t.a.op(1, {.byte = 0xf6, .digit = true}, 0, direction);  // TEST
  t.a.imm(eflags::kDf >> 8, 1);
  t.flags_lost();
  t.call_if(kNotEqual);
}

void advance(Translator& t, const Insn& insn, unsigned reg, unsigned size) {
  t.a.lea(insn.address_size, reg, {.base = static_cast<u8>(reg), .disp = static_cast<i32>(size)});
}

/// Where a single element goes.
Mem destination(Translator& t, const Insn& insn, unsigned size) {
  return t.memory(Es, {.reg = Rdi, .width = insn.address_size}, {.size = size, .write = true},
                  Reach::Destination);
}

void string_operation(Translator& t, u8 byte, unsigned size, bool repeat) {
  if (size == 2) t.a.byte(0x66);
  if (repeat) t.a.byte(0xf3);
  if (size == 8) t.a.byte(0x48);
  t.a.byte(size == 1 ? byte : byte + 1U);
}

/// Where the elements of RCX end that begin at a pointer.
Mem behind(unsigned pointer, unsigned size) {
  return {.base = static_cast<u8>(pointer),
          .index = host::kRcx,
          .scale = static_cast<u8>(__builtin_ctz(size))};
}

/// The host's address of RCX elements at a pointer, in kScratch1; called if they are not on one
/// page.
void reach_all(Translator& t, unsigned pointer, unsigned size, bool write, Record miss) {
  unsigned from = pointer;
  if (!t.mode.long_mode()) {
    t.a.mov32(kScratch0, pointer);
    from = kScratch0;
  }
  Mem last = behind(from, size);
  last.disp = -1;
  t.probe_up_to(from, last, write, miss);
  if (!t.mode.long_mode()) t.a.mov32(kScratch0, pointer);
  t.a.alu(8, kAdd, kScratch1, from);
}

/// RCX elements, unless there are none.
template <class Emit>
void repeat(Translator& t, unsigned size, Record miss, Emit emit) {
  const unsigned width = t.address_width();
  want_upwards(t);
  t.a.op(width, {.byte = 0x85}, host::kRcx, host::kRcx);  // TEST
  u8* const none = t.a.jcc(kEqual);
  t.a.alu_imm(width, kCmp, unsigned{host::kRcx}, static_cast<i64>(0x1000 / size));
  t.call_if(kAbove, miss);
  emit();
  t.a.bind_here(none);
}

bool movs(Translator& t, const Insn& insn) {
  if (!is_usual(t, insn)) return false;
  const unsigned size = insn.op[0].size, width = t.address_width();
  if (!repeated(insn)) {
    want_upwards(t);
    const Mem from = t.memory(insn, {.size = size});
    t.a.load(size, kScratch0, from);
    t.a.store(8, t.state.temporary, kScratch0);
    const Mem to = destination(t, insn, size);
    t.a.load(8, kScratch0, t.state.temporary);
    t.a.store(size, to, kScratch0);
    advance(t, insn, host::kRsi, size);
    advance(t, insn, host::kRdi, size);
    return true;
  }
  if (insn.seg >= Fs) return false;
  // Where the limits of segments are looked at, the destination's comes first.
  const Record miss =
      t.reaching(t.mode.long_mode() ? Reach::Copy : Reach::Unknown, {.size = size, .write = true});
  repeat(t, size, miss, [&] {
    reach_all(t, host::kRdi, size, true, miss);
    t.a.store(8, t.state.temporary, kScratch1);
    reach_all(t, host::kRsi, size, false, miss);
    if (width == 4) t.a.mov32(host::kRcx, host::kRcx);
    t.a.lea(width, kScratch0, behind(host::kRsi, size));
    t.a.mov(host::kRsi, kScratch1);
    t.a.lea(width, kScratch1, behind(host::kRdi, size));
    t.a.load(8, host::kRdi, t.state.temporary);
    string_operation(t, 0xa4, size, true);
    t.a.mov(host::kRsi, kScratch0);
    t.a.mov(host::kRdi, kScratch1);
  });
  return true;
}

bool stos(Translator& t, const Insn& insn) {
  if (!is_usual(t, insn)) return false;
  const unsigned size = insn.op[0].size, width = t.address_width();
  if (!repeated(insn)) {
    want_upwards(t);
    const Mem to = destination(t, insn, size);
    t.a.store(size, to, host::kRax);
    advance(t, insn, host::kRdi, size);
    return true;
  }
  const Record miss = t.reaching(Reach::Destination, {.size = size, .write = true});
  repeat(t, size, miss, [&] {
    reach_all(t, host::kRdi, size, true, miss);
    if (width == 4) t.a.mov32(host::kRcx, host::kRcx);
    t.a.lea(width, kScratch0, behind(host::kRdi, size));
    t.a.mov(host::kRdi, kScratch1);
    string_operation(t, 0xaa, size, true);
    t.a.mov(host::kRdi, kScratch0);
  });
  return true;
}

bool lods(Translator& t, const Insn& insn) {
  if (!is_usual(t, insn) || repeated(insn)) return false;
  const unsigned size = insn.op[1].size;
  want_upwards(t);
  const Mem from = t.memory(insn, {.size = size});
  t.a.load(size, host::kRax, from);
  advance(t, insn, host::kRsi, size);
  return true;
}

constexpr std::array kEmitters{
    Emitter{.mnemonic = "movs", .emit = &movs},
    Emitter{.mnemonic = "stos", .emit = &stos},
    Emitter{.mnemonic = "lods", .emit = &lods},
};

}  // namespace

std::span<const Emitter> string_emitters() { return kEmitters; }

}  // namespace rhea::x86::translating
