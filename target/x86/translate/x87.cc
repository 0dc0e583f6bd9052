// SPDX-License-Identifier: GPL-2.0-or-later
// x87 and MMX's state: the host's FPU executes the guest's instructions on the guest's registers.
// Its own FIP and FDP would be the host's; the guest's are kept in Cpu (see X87Pointers).
#include "target/x86/translate/host_cpu.h"
#include "target/x86/translate/translator.h"

#include <algorithm>
#include <array>

namespace rhea::x86::translating {
namespace {

bool is_escape(const isa::Row& row) {
  return row.map == isa::Map::OneByte && row.opcode >= 0xd8 && row.opcode <= 0xdf;
}

/// The instruction itself; false: it cannot be reached.
bool put(Translator& t, const Insn& insn) {
  if (!insn.memory()) {
    t.a.bytes({insn.opcode, insn.modrm});
    return true;
  }
  if (!t.reaches(insn)) return false;
  const unsigned operation = insn.modrm >> 3 & 7;
  const Operand& op = is_memory(insn.op[0]) ? insn.op[0] : insn.op[1];
  // FST to FISTTP, FBSTP, FNSTCW and FNSTSW; the others are loads.
  const bool store = (insn.opcode & 1) != 0 && operation != 0 && operation != 4 && operation != 5;
  const Mem m = t.memory(insn, {.size = op.size, .write = store});
  t.a.op(4, {.byte = insn.opcode, .digit = true}, operation, m);
  return true;
}

bool x87(Translator& t, const Insn& insn) {
  const isa::Row& row = isa::rows()[insn.row];
  if (row.flags.reads != 0) t.flags_to_host();  // FCMOVcc
  if (!put(t, insn)) return false;
  t.note_x87(insn);
  if (row.flags.writes != 0) t.flags_set();
  return true;
}

// ---- Control instructions leave the pointers.

bool control(Translator& t, const Insn& insn) { return put(t, insn); }
bool nothing(Translator&, const Insn&) { return true; }

/// With exceptions that are not masked the block cannot go on.
bool load_control(Translator& t, const Insn& insn) {
  if (!t.reaches(insn)) return false;
  constexpr i64 kMasks = 0x3f;
  const Mem m = t.memory(insn, {.size = 2});
  t.a.op(4, {.byte = 0xb7, .map = Opcode::Map0f}, kScratch0, m);  // MOVZX
  t.a.mov32(kScratch1, kScratch0);
  t.a.alu_imm(4, kAnd, kScratch1, kMasks);
  t.a.alu_imm(4, kCmp, kScratch1, kMasks);
  t.call_if(kNotEqual);
  t.a.alu_imm(4, kAnd, kScratch0, 0x1f3f);
  t.a.alu_imm(4, kOr, kScratch0, 0x40);
  t.a.store(2, t.state.fcw, kScratch0);
  t.a.op(4, {.byte = 0xd9, .digit = true}, 5, t.state.fcw);
  return true;
}

bool emms(Translator& t, const Insn&) {
  t.a.bytes({0x0f, 0x77});
  return true;
}

constexpr std::array kEmitters{
    Emitter{.mnemonic = "fldcw", .emit = &load_control, .resident = kResidentX87},
    Emitter{.mnemonic = "fnstcw", .emit = &control, .resident = kResidentX87},
    Emitter{.mnemonic = "fnstsw", .emit = &control, .resident = kResidentX87},
    Emitter{.mnemonic = "fnclex", .emit = &control, .resident = kResidentX87},
    Emitter{.mnemonic = "fneni", .emit = &nothing, .resident = kResidentX87},
    Emitter{.mnemonic = "fndisi", .emit = &nothing, .resident = kResidentX87},
    Emitter{.mnemonic = "fnsetpm", .emit = &nothing, .resident = kResidentX87},
    Emitter{.mnemonic = "fwait", .emit = &nothing, .resident = kResidentX87},
    Emitter{.mnemonic = "emms", .emit = &emms, .resident = kResidentX87},
};
constexpr Emitter kArithmetic{.mnemonic = {}, .emit = &x87, .resident = kResidentX87};

/// They look at the whole state, or set it.
constexpr std::string_view kCalled[] = {"fldenv", "fnstenv", "frstor", "fnsave", "fninit"};

}  // namespace

std::span<const Emitter> x87_emitters() {
  return host_cpu().xsave ? std::span<const Emitter>(kEmitters) : std::span<const Emitter>();
}

const Emitter* x87_emitter(const isa::Row& row) {
  if (!is_escape(row) || !host_cpu().xsave) return nullptr;
  return std::ranges::find(kCalled, row.mnemonic) == std::end(kCalled) ? &kArithmetic : nullptr;
}

void Translator::note_x87(const Insn& insn) {
  x87_.pending = true;
  x87_.offset = offset_;
  x87_.opcode = static_cast<u16>((insn.opcode & 7) << 8 | insn.modrm);
  if (!insn.memory()) return;
  x87_.segment = insn.seg;
  effective_address(insn, kScratch0);
  a.store(8, state.fdp, kScratch0);
}

void Translator::settle_x87(const X87Pointers& pointers) {
  if (!pointers.pending) return;
  load_rip(kScratch0, pointers.offset);
  a.store(8, state.fip, kScratch0);
  a.op(2, {.byte = 0xc7, .digit = true}, 0, state.fop);  // MOV
  a.imm(pointers.opcode, 2);
  const auto move_selector = [this](unsigned segment, const Mem& to) {
    a.load(2, kScratch0, state.selector(segment));
    a.store(2, to, kScratch0);
  };
  move_selector(Cs, state.fcs);
  if (pointers.segment < kNoSegment) move_selector(pointers.segment, state.fds);
}

}  // namespace rhea::x86::translating
