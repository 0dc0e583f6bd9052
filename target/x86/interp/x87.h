// SPDX-License-Identifier: GPL-2.0-or-later
// x87 instructions: how they are executed. The host's FPU does all arithmetic, in one of two ways:
// x87_any() runs the very instruction on the guest's whole x87 state, which gives stack faults,
// unmasked exceptions and every condition code as the host has them; the functions of
// x87_short.h do the common ones on single registers when nothing of that can happen.
#pragma once

#include "target/x86/interp/fpu_gate.h"

#include <array>

namespace rhea::x86::interp {

namespace fsw {
inline constexpr u16 kIe = 1, kSf = 0x40, kC0 = 0x100, kC1 = 0x200, kC2 = 0x400, kC3 = 0x4000,
                     kTop = 0x3800;
}  // namespace fsw

inline constexpr u16 kFcwReset = 0x037f;

/// FXSAVE's image, 64-bit format (SDM vol. 1, table 10-2).
struct alignas(16) FxsaveImage {
  u16 fcw{}, fsw{};
  u8 valid{}, reserved{};
  u16 fop{};
  u64 fip{}, fdp{};
  u32 mxcsr{}, mxcsr_mask{};
  std::array<X87Register, 8> st{};  ///< from ST(0)
  std::array<std::array<u8, 16>, 16> xmm{};
  std::array<u8, 96> rest{};
};
static_assert(sizeof(FxsaveImage) == 512);

/// An 80-bit number in memory.
inline X87Register register_at(const u8* bytes) {
  X87Register value;
  std::memcpy(&value.significand, bytes, 8);
  std::memcpy(&value.sign_exponent, bytes + 8, 2);
  return value;
}

inline X87Register& st(X87& x87, unsigned i) { return x87.reg[(x87.top() + i) & 7]; }
inline bool is_valid(const X87& x87, unsigned i) {
  return (x87.valid >> ((x87.top() + i) & 7) & 1) != 0;
}
inline void push_register(X87& x87, const X87Register& value) {
  x87.set_top(x87.top() - 1);
  x87.valid = static_cast<u8>(x87.valid | 1u << x87.top());
  st(x87, 0) = value;
}
inline void pop_register(X87& x87) {
  x87.valid = static_cast<u8>(x87.valid & ~(1u << x87.top()));
  x87.set_top(x87.top() + 1);
}

/// ES and B follow from the flags and their masks.
inline void update_error_summary(X87& x87) {
  const bool error = (x87.fsw & ~x87.fcw & kFswExceptions) != 0;
  x87.fsw = static_cast<u16>((x87.fsw & ~(kFswEs | kFswBusy)) | (error ? kFswEs | kFswBusy : 0));
}

inline bool all_masked(const X87& x87) { return (x87.fcw & kFswExceptions) == kFswExceptions; }
/// Takes over what the host's FPU said: sticky flags, and the condition codes in `conditions`.
inline void take_status(X87& x87, u16 status, u16 conditions) {
  x87.fsw = static_cast<u16>((x87.fsw & ~conditions) | (status & (conditions | kFswExceptions)));
}

/// FIP, FDP and FOP. Every instruction but the control ones leaves them, as AMD's processors and
/// Intel's before FDP_EXCPTN_ONLY do.
inline void set_x87_pointers(Cpu& cpu, const Insn& insn) {
  X87& x87 = cpu.x87;
  x87.fop = static_cast<u16>((insn.opcode & 7) << 8 | insn.modrm);
  x87.fip = cpu.insn_rip;
  x87.fcs = cpu.seg[Cs].selector;
  if (insn.modrm >= 0xc0) return;
  x87.fdp = cpu.effective_address(insn);
  x87.fds = cpu.seg[insn.seg].selector;
}

/// Any instruction but the control ones, on the whole state.
void x87_any(Cpu& cpu, const Insn& insn);
/// The short way of an instruction, nullptr if it has none.
Execute bind_x87_short(const Insn& insn);
/// Of those, loads from and stores to memory.
Execute bind_x87_move(const Insn& insn);
/// Control instructions: those that do not wait, and loads of control word and environment.
Execute bind_x87_control(const Insn& insn);

}  // namespace rhea::x86::interp
