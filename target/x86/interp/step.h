// SPDX-License-Identifier: GPL-2.0-or-later
// One instruction by itself, with all that must be looked at before and behind it.
#pragma once

#include "target/x86/cpu.h"
#include "target/x86/decode/decode.h"

#include <array>

namespace rhea::x86 {

/// Where RIP lies among linear addresses.
inline u64 linear_rip(const Cpu& cpu) {
  return cpu.long_mode() ? cpu.rip() : (cpu.seg[Cs].base + cpu.rip()) & 0xffff'ffff;
}

/// An instruction as it lies in memory.
struct Fetched {
  Insn insn;
  DecodeStatus status{};
  std::array<u8, kLongestInsn> bytes{};
  unsigned count{};  ///< of the bytes that were looked at
};

/// Reads and decodes what is at RIP, byte by byte, across pages and from devices if need be. What
/// cannot be decoded is an instruction, too: it raises its exception. A fault of the fetch is
/// thrown, a breakpoint on it likewise.
void fetch(Cpu& cpu, Fetched& to);
/// More bytes, up to the longest instruction or where the next one cannot be fetched.
void fetch_rest(Cpu& cpu, Fetched& to);
/// Executes it and what comes with its end: the resume flag, interrupt shadows, debug traps. RIP is
/// where it was fetched. Its fault is thrown: deliver_step_fault.
void execute_alone(Cpu& cpu, const Insn& insn);
/// Both.
void step(Cpu& cpu);
/// A fault of the instruction at Cpu::insn_rip, which has changed nothing, is delivered as if it
/// had not been begun.
void deliver_step_fault(Cpu& cpu, const Fault& fault);

/// An instruction that cannot be executed as decoded: it raises what the decoder found.
void set_decode_fault(Insn& insn, DecodeStatus status);
bool is_undefined(const Insn& insn);

}  // namespace rhea::x86
