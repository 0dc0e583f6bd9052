// SPDX-License-Identifier: GPL-2.0-or-later
// XCHG, XADD, CMPXCHG.
#include "target/x86/translate/translator.h"

#include <array>

namespace rhea::x86::translating {
namespace {

/// Two registers, or memory and one, both written.
bool both_ways(Translator& t, const Insn& insn, Opcode code, bool locked) {
  const unsigned size = insn.op[0].size;
  const unsigned first = insn.op[0].reg, second = insn.op[1].reg;
  if (is_memory(insn.op[0])) {
    const Mem m = t.memory(insn, {.size = size, .write = true, .aligned = locked});
    t.a.op(size, code, t.result(second, kScratch0, size, true), m);
    t.finish(second, kScratch0);
    return true;
  }
  const unsigned one = t.result(first, kScratch0, size, true);
  const unsigned other = t.result(second, kScratch1, size, true);
  t.a.op(size, code, other, one);
  t.finish(second, kScratch1);
  t.finish(first, kScratch0);
  return true;
}

// With memory it is locked with or without the prefix.
bool exchange(Translator& t, const Insn& insn) {
  if (insn.memory() && !t.reaches(insn)) return false;
  if (!insn.memory() && insn.op[0].reg == insn.op[1].reg && insn.op[0].size < 4) return true;
  return both_ways(t, insn, {.byte = insn.op[0].size == 1 ? u8{0x86} : u8{0x87}}, true);
}

bool exchange_add(Translator& t, const Insn& insn) {
  if (insn.memory() && !t.reaches(insn)) return false;
  if (!insn.memory() && (insn.op[0].reg & 15) == (insn.op[1].reg & 15)) return false;
  const bool lock = insn.has(kLock);
  both_ways(
      t, insn,
      {.byte = insn.op[0].size == 1 ? u8{0xc0} : u8{0xc1}, .map = Opcode::Map0f, .lock = lock},
      lock);
  t.flags_set();
  return true;
}

// The accumulator is implied, and the same.
bool compare_exchange(Translator& t, const Insn& insn) {
  if (insn.memory() && !t.reaches(insn)) return false;
  const unsigned size = insn.op[0].size;
  const bool lock = insn.has(kLock);
  const Opcode code{.byte = size == 1 ? u8{0xb0} : u8{0xb1}, .map = Opcode::Map0f, .lock = lock};
  if (is_memory(insn.op[0])) {
    const Mem m = t.memory(insn, {.size = size, .write = true, .aligned = lock});
    t.a.op(size, code, t.value(insn.op[1].reg, kScratch0), m);
  } else {
    const unsigned reg = insn.op[0].reg;
    const unsigned from = t.value(insn.op[1].reg, kScratch1);
    t.a.op(size, code, from, t.result(reg, kScratch0, size, true));
    t.finish(reg, kScratch0);
  }
  t.flags_set();
  return true;
}

// The accumulators are implied; ZF is all that changes.
template <unsigned kSize>
bool compare_exchange_pair(Translator& t, const Insn& insn) {
  if (!t.reaches(insn)) return false;
  const bool lock = insn.has(kLock);
  const Mem m = t.memory(insn, {.size = kSize, .write = true, .aligned = lock || kSize == 16});
  t.keep_flags();
  t.a.op(kSize / 2, {.byte = 0xc7, .map = Opcode::Map0f, .lock = lock, .digit = true}, 1, m);
  t.flags_set();
  return true;
}

constexpr std::array kEmitters{
    Emitter{"xchg", &exchange},
    Emitter{"xadd", &exchange_add},
    Emitter{"cmpxchg", &compare_exchange},
    Emitter{"cmpxchg8b", &compare_exchange_pair<8>},
    Emitter{"cmpxchg16b", &compare_exchange_pair<16>},
};

}  // namespace

std::span<const Emitter> exchange_emitters() { return kEmitters; }

}  // namespace rhea::x86::translating
