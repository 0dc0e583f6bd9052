// SPDX-License-Identifier: GPL-2.0-or-later
// Random registers and memory for one instruction.
#include "tests/cpu/integer_state.h"

#include "target/x86/cpu.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace rhea::x86 {
namespace {

bool is_any(std::string_view mnemonic, std::initializer_list<std::string_view> these) {
  return std::ranges::find(these, mnemonic) != these.end();
}
bool uses_stack(std::string_view mnemonic) {
  return is_any(mnemonic, {"push", "pop", "call", "ret", "enter", "leave", "pushf", "popf", "pusha",
                           "popa", "pushseg", "popseg", "callf", "retf", "iret"});
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

bool is_far(std::string_view mnemonic) {
  return is_any(mnemonic, {"callf", "jmpf", "retf", "iret"});
}
bool is_branch(std::string_view mnemonic) {
  return is_far(mnemonic) ||
         is_any(mnemonic, {"jmp", "jcc", "call", "ret", "loop", "loope", "loopne", "jcxz"});
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

// An offset in a code segment that starts at `base`.
u64 IntegerState::code_target(u64 base) {
  switch (below(8)) {
    case 0: return edge() & 0xffff;
    case 1: return random_();
    case 2: return 0x2000'0000 + below(0x1000'0000);
    default: return branch_ - base + 0x10 + below(0x700);
  }
}

// What an address or count of `width` bytes does not look at is random.
u64 IntegerState::with_upper(u64 value, unsigned width) {
  if (width == 2) return (value & 0xffff) | (random_() & ~u64{0xffff});
  return width == 4 ? (value & 0xffff'ffff) | random_() << 32 : value;
}

u16 IntegerState::any_selector() {
  if (one_in(8)) return static_cast<u16>(below(4));
  if (one_in(16)) return static_cast<u16>(0x40 + below(7) * 8);
  if (one_in(16)) return static_cast<u16>(kHostGdtLimit + 1 + below(0xff00));
  const HostSegment& s = kHostSegments[below(kHostSegments.size())];
  return static_cast<u16>(one_in(4) ? (s.selector & ~3U) | below(4) : s.selector);
}

void IntegerState::choose_segments(NativeState& state) {
  state.seg = {kHostData, layout(mode_).code_selector, kHostData, kHostData, 0, kHostData};
  if (mode_ == NativeMode::Long) return;
  const auto stack = [&] { return one_in(2) ? kLocalData16 : kLocalData32; };
  const auto data = [&]() -> u16 {
    if (!one_in(8)) return stack();
    constexpr std::array<u16, 4> kOdd{0, kLocalReadOnly, kLocalExpandDown, kLocalCode32};
    return kOdd[below(kOdd.size())];
  };
  state.seg[Ss] = stack();
  for (const unsigned segment : {Es, Ds, Gs}) state.seg[segment] = data();
}

unsigned IntegerState::stack_width(const NativeState& state) const {
  if (mode_ == NativeMode::Long) return 8;
  return state.seg[Ss] == kLocalData16 ? 2 : 4;
}

void IntegerState::put_word(u64 at, u64 value) {
  if (at < kWindow) return;
  for (u64 i = 0; i < 8 && at + i < kReadOnly; ++i)
    *host_memory(at + i) = static_cast<u8>(value >> 8 * i);
}

void IntegerState::put_half(u64 at, u16 value) {
  for (u64 i = 0; i < 2 && at + i < kReadOnly; ++i)
    if (at + i >= kWindow) *host_memory(at + i) = static_cast<u8>(value >> 8 * i);
}

// At most one thing is wrong with it: which is found first is not architectural. Nor is how much of
// the stack of compatibility mode 64-bit code that is called or returned to finds.
void IntegerState::put_far_pointer(u64 at, unsigned size, u16 rpl) {
  constexpr std::array kGood{kLocalCode16, kLocalCode32, kHostCode32, kHostCode64};
  const bool good = !one_in(4), far = good && one_in(4);
  u16 selector = kGood[below(mode_ == NativeMode::Long ? 4 : 3)];
  if (!good) {
    do selector = any_selector();
    while (mode_ != NativeMode::Long && (selector & 0xfffc) == (kHostCode64 & 0xfffc));
  }
  const u64 base = (selector & 4) == 0 ? 0 : kSegmentBase;
  const bool reached = mode_ != NativeMode::Long || (selector & 0xfffc) != (kLocalCode16 & 0xfffc);
  put_word(at, far || !reached ? random_() & 0xffff : branch_ - base + 0x10 + below(0x700));
  put_half(at + size, selector | rpl);
}

void IntegerState::fill(u64 around) {
  for (u64 at = around - 8; at < around + 16; at += 8) put_word(at, edge());
}

bool IntegerState::fix_displacement(std::vector<u8>& code, const Insn& insn, u64 at) {
  const u64 target = any_target() - base_;
  if (insn.base == kNoReg && insn.index == kNoReg && insn.disp == 0 && insn.imm != 0) {
    // MOV with an absolute offset: the last bytes.
    std::memcpy(code.data() + code.size() - insn.address_size, &target, insn.address_size);
    return true;
  }
  if (insn.base != kRip && (insn.base != kNoReg || insn.index != kNoReg)) return true;
  const u64 from = insn.base == kRip ? at + code.size() : 0;
  const auto old = std::bit_cast<std::array<u8, 4>>(insn.disp);
  const auto fixed = std::bit_cast<std::array<u8, 4>>(static_cast<u32>(target - from));
  const size_t size = insn.address_size == 2 ? 2 : 4;
  const auto found = std::ranges::find_end(code, std::span(old).first(size));
  if (found.empty()) return false;
  std::ranges::copy_n(fixed.begin(), static_cast<std::ptrdiff_t>(size), found.begin());
  return true;
}

void IntegerState::fix_far_pointer(std::vector<u8>& code, const Insn& insn) {
  const u64 scratch = kWindow + 0x1000;
  put_far_pointer(scratch, insn.operand_size);
  const size_t size = insn.operand_size + 2U;
  std::memcpy(code.data() + code.size() - size, host_memory(scratch), size);
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
  u64 offset = any_target() - base_;
  if (insn.address_size == 8 && one_in(64)) offset ^= u64{1} << (47 + below(17));
  if (mode_ != NativeMode::Long && one_in(16)) offset += u64{1} << (16 + below(16));
  u64* solved = nullptr;
  if (has_base && has_index && insn.base == insn.index) {
    solved = &state.gpr[insn.base];
    const u64 wanted = offset - disp;
    *solved = insn.scale == 0 ? wanted >> 1 : wanted * inverse(1 + (u64{1} << insn.scale));
  } else if (has_base) {
    solved = &state.gpr[insn.base];
    *solved = offset - disp - (has_index ? state.gpr[insn.index] << insn.scale : 0);
  } else if (has_index) {
    solved = &state.gpr[insn.index];
    *solved = (offset - disp) >> insn.scale;
  }
  if (solved != nullptr)
    *solved = one_in(2) ? with_upper(*solved, insn.address_size) : *solved & mask;
  target_ = insn.base == kRip ? 0 : mode_ == NativeMode::Long ? ea() : (ea() + base_) & 0xffff'ffff;
  if (target_ != 0) fill(target_);
}

void IntegerState::point_implied(NativeState& state, const Insn& insn, std::string_view mnemonic) {
  const auto point = [&](unsigned reg, u64 offset) {
    target_ = any_target();
    fill(target_);
    state.gpr[reg] = with_upper(target_ - base_ - offset, insn.address_size);
  };
  if (is_string(mnemonic)) {
    point(Rsi, 0);
    point(Rdi, 0);
    if (one_in(2)) state.gpr[Rdi] = state.gpr[Rsi] + below(40) - 20;
    state.gpr[Rcx] = with_upper(one_in(32) ? below(3000) : below(12), insn.address_size);
  }
  if (mnemonic == "xlat") point(Rbx, state.gpr[Rax] & 0xff);
  if (mnemonic == "clzero") point(Rax, 0);
  if (uses_stack(mnemonic)) point_stack(state, insn, mnemonic);
}

void IntegerState::point_stack(NativeState& state, const Insn& insn, std::string_view mnemonic) {
  const auto point = [&](unsigned reg) {
    target_ = any_target();
    fill(target_);
    state.gpr[reg] = with_upper(target_ - base_, stack_width(state));
  };
  if (mnemonic == "enter" || mnemonic == "leave") point(Rbp);
  if (mnemonic == "leave") return;
  point(Rsp);
  if (is_far(mnemonic)) {  // which fault comes first, the stack's or another, is not architectural
    target_ = kWindow + 0x100 + below(0x1e00);
    state.gpr[Rsp] = with_upper(target_ - base_, stack_width(state));
    return fill_stack(target_, insn, mnemonic);
  }
  if (one_in(64)) state.gpr[Rsp] ^= u64{1} << (mode_ == NativeMode::Long ? 60 : 20);
  fill_stack(target_, insn, mnemonic);
}

// What the instruction is going to pop.
void IntegerState::fill_stack(u64 at, const Insn& insn, std::string_view mnemonic) {
  const unsigned size = insn.operand_size;
  // Neither single steps nor alignment checks, which would be the test's own, nor nested tasks.
  const auto flags = [&] { return random_() & ~u64{0x4'4100}; };
  if (mnemonic == "ret") put_word(at, code_target(base_));
  if (mnemonic == "popf") put_word(at, flags());
  if (mnemonic == "popseg") put_half(at, any_selector());
  if (mnemonic == "popa") {
    fill(at + 8);
    fill(at + 24);
  }
  if (mnemonic != "retf" && mnemonic != "iret") return;
  if (mnemonic == "iret") {
    put_word(at + u64{2} * size, flags());
    put_word(at + u64{3} * size, any_target() - base_);
    put_half(at + u64{4} * size, kHostData);
  }
  put_far_pointer(at, size, 3);
}

// Selectors come from the kernel's table and ours.
void IntegerState::point_selector(NativeState& state, const Insn& insn, std::string_view mnemonic) {
  const unsigned size = amd_ ? std::min<unsigned>(insn.operand_size, 4) : insn.operand_size;
  if (is_any(mnemonic, {"les", "lds", "lss", "lfs", "lgs"}))
    put_half(target_ + size, any_selector());
  if (mnemonic == "callf" || mnemonic == "jmpf") put_far_pointer(target_, size);
  const bool load = mnemonic == "movseg" && insn.op[0].kind == OperandKind::Segment;
  const bool query = is_any(mnemonic, {"lar", "lsl", "verr", "verw"});
  if (!load && !query) return;
  const Operand& from = insn.op[mnemonic.starts_with("ver") ? 0 : 1];
  if (from.kind == OperandKind::Memory)
    put_half(target_, any_selector());
  else
    state.gpr[from.reg & 15] = (random_() & ~u64{0xffff}) | any_selector();
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
  if (indirect) state.gpr[insn.op[0].reg] = code_target(base_);
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
  const auto* memory = host_memory(target_);
  std::memcpy(&state.gpr[Rax], memory, 8);
  const bool narrow = mnemonic == "cmpxchg8b";
  if (mnemonic != "cmpxchg") std::memcpy(&state.gpr[Rdx], memory + (narrow ? 4 : 8), 8);
}

NativeState IntegerState::make(const Insn& insn, std::string_view mnemonic, u64 at) {
  NativeState state;
  for (u64& reg : state.gpr) reg = edge();
  state.rip = at;
  choose_segments(state);
  state.rflags = (random_() & eflags::kStatus) | eflags::kFixed | eflags::kIf;
  if (is_string(mnemonic) && one_in(2)) state.rflags |= eflags::kDf;
  target_ = 0;
  prepare(state, insn, mnemonic);
  point_implied(state, insn, mnemonic);
  const bool lea = mnemonic == "lea" || mnemonic == "nop";
  if (insn.memory() && !is_string(mnemonic) && !lea && mnemonic != "movoffs") {
    point_operand(state, insn);
    if (is_branch(mnemonic)) put_word(target_, code_target(base_));
    match_compared(state, insn, mnemonic);
  }
  point_selector(state, insn, mnemonic);
  if (mode_ == NativeMode::Long) return state;
  for (unsigned n = 0; n < 16; ++n) state.gpr[n] = n < 8 ? state.gpr[n] & 0xffff'ffff : 0;
  return state;
}

}  // namespace rhea::x86
