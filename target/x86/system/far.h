// SPDX-License-Identifier: GPL-2.0-or-later
// What far jumps, calls and returns have in common (SDM vol. 3, 5.8).
#pragma once

#include "target/x86/system/descriptor.h"

namespace rhea::x86::system {

struct FarPointer {
  u16 selector{};
  u64 offset{};
};
/// Operand of JMP and CALL: immediate, or in memory.
FarPointer far_operand(Cpu& cpu, const Insn& insn);

/// A descriptor to jump through, with its upper half in long mode.
Descriptor fetch_target(Cpu& cpu, u16 selector);
/// Checks the code segment of a direct jump or call; the same level stays.
void check_direct(const Cpu& cpu, u16 selector, const Descriptor& code);
/// Present (#NP), and in long mode not both L and D (#GP).
void check_code_form(const Cpu& cpu, u16 selector, const Descriptor& code, u32 external = 0);
/// Where in the code segment a far pointer leads.
u64 offset_within(const Cpu& cpu, const Descriptor& code, const FarPointer& to);
/// #GP(0) unless the offset lies in the code segment, or is canonical in 64-bit code.
void check_offset(const Cpu& cpu, const Descriptor& code, u64 offset);
/// Likewise for a segment that is loaded.
void check_offset(const Cpu& cpu, const SegmentRegister& code, u64 offset);
bool is_long_code(const Cpu& cpu, const Descriptor& code);

/// Loads CS with a level and sets RIP.
void enter_code(Cpu& cpu, u16 selector, Descriptor& code, unsigned level, u64 offset);

/// What a call gate leads to.
struct GateTarget {
  u16 selector{};
  Descriptor code;
  u64 offset{};
  unsigned size{};  ///< of what is pushed: 2, 4, 8
  unsigned parameters{};
};
GateTarget fetch_gate_target(Cpu& cpu, u16 selector, const Descriptor& gate);
/// #GP unless a gate or TSS may be used from here; #NP when it is not present.
void check_gate_access(const Cpu& cpu, u16 selector, const Descriptor& gate);
bool is_available_tss(const Descriptor& descriptor);

}  // namespace rhea::x86::system
