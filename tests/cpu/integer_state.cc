// SPDX-License-Identifier: GPL-2.0-or-later
// Random registers and memory for one instruction.
#include "tests/cpu/integer_state.h"

#include "target/x86/cpu.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace rhea::x86 {
namespace {

constexpr u64 kWindow = NativeRun::kWindow, kWindowEnd = NativeRun::kWindowEnd,
              kReadOnly = NativeRun::kReadOnly;

bool is_any(std::string_view mnemonic, std::initializer_list<std::string_view> these) {
  return std::ranges::find(these, mnemonic) != these.end();
}
bool uses_stack(std::string_view mnemonic) {
  return is_any(mnemonic,
                {"push", "pop", "call", "ret", "enter", "leave", "pushf", "popf", "pushseg"});
}
bool is_string(std::string_view mnemonic) {
  return is_any(mnemonic, {"movs", "cmps", "stos", "lods", "scas", "ins", "outs"});
}
bool is_bit_test(std::string_view mnemonic) {
  return is_any(mnemonic, {"bt", "bts", "btr", "btc"});
}

/// The inverse of an odd number modulo 2^64 (Newton).
u64 inverse(u64 odd) {
  u64 x = odd;
  for (int i = 0; i < 6; ++i) x *= 2 - odd * x;
  return x;
}

}  // namespace

bool is_branch(std::string_view mnemonic) {
  return is_any(mnemonic, {"jmp", "jcc", "call", "ret", "loop", "loope", "loopne", "jcxz"});
}

u64 IntegerState::edge() {
  constexpr std::array<u64, 16> kEdges{0,
                                       1,
                                       2,
                                       0x7f,
                                       0x80,
                                       0xff,
                                       0x7fff,
                                       0x8000,
                                       0xffff,
                                       0x7fff'ffff,
                                       0x8000'0000,
                                       0xffff'ffff,
                                       0x1'0000'0000,
                                       0x7fff'ffff'ffff'ffff,
                                       u64{1} << 63,
                                       ~u64{0}};
  switch (below(4)) {
    case 0: return kEdges[below(16)] + below(3) - 1;
    case 1: return below(2) ? below(0x100) : ~below(0x100);
    case 2: return u64{1} << below(64);
    default: return random_();
  }
}

// Inside a page, across two that can be written, at the ends of what can be written or read.
u64 IntegerState::any_target() {
  const u64 near = below(24) - 12;
  switch (below(16)) {
    case 0: return kReadOnly + near;
    case 1: return one_in(4) ? kWindowEnd + near : kWindow + 0x1000 + near;
    case 2: return one_in(4) ? kWindow + near : kWindow + 0x1000 + near;
    case 3:
    case 4: return kWindow + 0x1000 + near;
    default: return kWindow + 0x100 + below(0x1e00);
  }
}

u64 IntegerState::code_target() {
  switch (below(8)) {
    case 0: return edge() & 0xffff;
    case 1: return random_();
    case 2: return 0x2000'0000 + below(0x1000'0000);
    default: return NativeRun::kBranch + 0x10 + below(0x700);
  }
}

void IntegerState::put_word(u64 at, u64 value) {
  if (at < kWindow) return;
  for (u64 i = 0; i < 8 && at + i < kReadOnly; ++i)
    *reinterpret_cast<u8*>(at + i) = static_cast<u8>(value >> 8 * i);
}

void IntegerState::fill(u64 around) {
  for (u64 at = around - 8; at < around + 16; at += 8) put_word(at, edge());
}

bool IntegerState::fix_displacement(std::vector<u8>& code, const Insn& insn, u64 at) {
  const u64 target = any_target();
  if (insn.base == kNoReg && insn.index == kNoReg && insn.disp == 0 && insn.imm != 0) {
    // MOV with an absolute offset: the last bytes.
    std::memcpy(code.data() + code.size() - insn.address_size, &target, insn.address_size);
    return true;
  }
  if (insn.base != kRip && (insn.base != kNoReg || insn.index != kNoReg)) return true;
  const u64 from = insn.base == kRip ? at + code.size() : 0;
  const auto old = std::bit_cast<std::array<u8, 4>>(insn.disp);
  const auto fixed = std::bit_cast<std::array<u8, 4>>(static_cast<u32>(target - from));
  const auto found = std::ranges::search(code, old);
  if (found.empty()) return false;
  std::ranges::copy(fixed, found.begin());
  return true;
}

/// Solves base + index * 2^scale + disp = target for one of the registers.
void IntegerState::point_operand(NativeState& state, const Insn& insn) {
  const u64 mask = Cpu::size_mask(insn.address_size);
  const bool has_base = insn.base < 16, has_index = insn.index < 16;
  const auto disp = static_cast<u64>(static_cast<i64>(insn.disp));
  const auto ea = [&] {
    return ((has_base ? state.gpr[insn.base] : 0) +
            (has_index ? state.gpr[insn.index] << insn.scale : 0) + disp) &
           mask;
  };
  target_ = any_target();
  if (insn.address_size == 8 && one_in(64)) target_ ^= u64{1} << (47 + below(17));
  u64* solved = nullptr;
  if (has_base && has_index && insn.base == insn.index) {
    solved = &state.gpr[insn.base];
    const u64 wanted = target_ - disp;
    *solved = insn.scale == 0 ? wanted >> 1 : wanted * inverse(1 + (u64{1} << insn.scale));
  } else if (has_base) {
    solved = &state.gpr[insn.base];
    *solved = target_ - disp - (has_index ? state.gpr[insn.index] << insn.scale : 0);
  } else if (has_index) {
    solved = &state.gpr[insn.index];
    *solved = (target_ - disp) >> insn.scale;
  }
  if (solved != nullptr && insn.address_size == 4)
    *solved = (*solved & 0xffff'ffff) | (one_in(2) ? random_() << 32 : 0);
  target_ = insn.base == kRip ? 0 : ea();
  if (target_ != 0) fill(target_);
}

void IntegerState::point_implied(NativeState& state, const Insn& insn, std::string_view mnemonic) {
  const auto point = [&](unsigned reg, u64 offset) {
    target_ = any_target();
    fill(target_);
    state.gpr[reg] = target_ - offset;
    if (insn.address_size == 4 && !uses_stack(mnemonic)) state.gpr[reg] |= random_() << 32;
  };
  if (is_string(mnemonic)) {
    point(Rsi, 0);
    point(Rdi, 0);
    if (one_in(2)) state.gpr[Rdi] = state.gpr[Rsi] + below(40) - 20;
    state.gpr[Rcx] = one_in(32) ? below(3000) : below(12);
    if (insn.address_size == 4) state.gpr[Rcx] |= random_() << 32;
  }
  if (mnemonic == "xlat") point(Rbx, state.gpr[Rax] & 0xff);
  if (mnemonic == "clzero") point(Rax, 0);
  if (mnemonic == "enter" || mnemonic == "leave") point(Rbp, 0);
  if (!uses_stack(mnemonic) || mnemonic == "leave") return;
  point(Rsp, 0);
  if (one_in(64)) state.gpr[Rsp] ^= u64{1} << 60;
  if (mnemonic == "ret") {
    if (insn.op[0].kind != OperandKind::None) fill(target_);
    put_word(target_, code_target());
  }
  // Neither single steps nor alignment checks, which would be the test's own.
  if (mnemonic == "popf") put_word(target_, random_() & 0xffff'ffff'ffff'ffff & ~u64{0x4'4100});
}

void IntegerState::prepare(NativeState& state, const Insn& insn, std::string_view mnemonic) {
  if (is_bit_test(mnemonic) && insn.op[0].kind == OperandKind::Memory &&
      insn.op[1].kind == OperandKind::Gpr && !one_in(16))
    state.gpr[insn.op[1].reg] = below(512) - 256;
  if ((mnemonic == "div" || mnemonic == "idiv") && !one_in(4)) {
    state.gpr[Rdx] = one_in(2) ? below(4) : ~below(4);
    if (insn.op[0].size == 1) state.gpr[Rax] = below(0x400) - (one_in(2) ? 0x200 : 0);
  }
  const bool indirect = is_branch(mnemonic) && insn.op[0].kind == OperandKind::Gpr;
  if (indirect) state.gpr[insn.op[0].reg] = code_target();
  if (mnemonic == "jcxz" || mnemonic.starts_with("loop")) state.gpr[Rcx] = edge() & edge();
  if (mnemonic.starts_with("loop") && one_in(3)) state.gpr[Rcx] = below(3);
}

// CMPXCHG finds what it expects half of the time.
void IntegerState::match_compared(NativeState& state, const Insn& insn, std::string_view mnemonic) {
  if (!mnemonic.starts_with("cmpxchg") || one_in(2)) return;
  const auto free = [&](unsigned reg) { return insn.base != reg && insn.index != reg; };
  if (insn.op[0].kind == OperandKind::Gpr) {
    state.gpr[Rax] = state.gpr[insn.op[0].reg & 15];
    if (insn.op[0].reg >= kHighByte) state.gpr[Rax] = state.gpr[insn.op[0].reg & 15] >> 8;
    return;
  }
  if (target_ < kWindow || target_ > kWindowEnd - 16 || !free(Rax) || !free(Rdx)) return;
  const auto* memory = reinterpret_cast<const u8*>(target_);
  std::memcpy(&state.gpr[Rax], memory, 8);
  const bool narrow = mnemonic == "cmpxchg8b";
  if (mnemonic != "cmpxchg") std::memcpy(&state.gpr[Rdx], memory + (narrow ? 4 : 8), 8);
}

NativeState IntegerState::make(const Insn& insn, std::string_view mnemonic, u64 at) {
  NativeState state;
  for (u64& reg : state.gpr) reg = edge();
  state.rip = at;
  state.rflags = (random_() & eflags::kStatus) | eflags::kFixed | eflags::kIf;
  if (is_string(mnemonic) && one_in(2)) state.rflags |= eflags::kDf;
  target_ = 0;
  prepare(state, insn, mnemonic);
  point_implied(state, insn, mnemonic);
  const bool lea = mnemonic == "lea" || mnemonic == "nop";
  if (insn.memory() && !is_string(mnemonic) && !lea && mnemonic != "movoffs") {
    point_operand(state, insn);
    if (is_branch(mnemonic)) put_word(target_, code_target());
    match_compared(state, insn, mnemonic);
  }
  return state;
}

}  // namespace rhea::x86
