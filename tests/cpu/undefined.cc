// SPDX-License-Identifier: GPL-2.0-or-later
// What an instruction leaves undefined, so that only some hosts are compared in it.
#include "tests/cpu/undefined.h"

#include "target/x86/registers.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace rhea::x86 {
namespace {

constexpr std::array<std::string_view, 9> kShifts{"rol", "ror", "rcl",  "rcr", "shl",
                                                  "shr", "sar", "shld", "shrd"};

bool is_shift(const isa::Row& row) {
  return std::ranges::find(kShifts, row.mnemonic) != kShifts.end();
}

/// CL or the immediate is the last operand.
unsigned shift_count(const UndefinedCase& which) {
  const Insn& insn = which.insn;
  const unsigned last = insn.op[2].kind == OperandKind::None ? 1 : 2;
  const u64 raw = insn.op[last].kind == OperandKind::Immediate ? insn.imm : which.before.gpr[Rcx];
  return static_cast<unsigned>(raw & (insn.op[0].size == 8 ? 63 : 31));
}

}  // namespace

// OF behind shifts and rotations by more than one is undefined in both manuals (SDM vol. 2, SAL,
// RCL, SHLD, SHRD; APM vol. 3). Ours is AMD's; Intel's would cost every shift a look at the model.
u32 undefined_flags(const UndefinedCase& which) {
  const u32 always = which.row.flags.undefined;
  if (which.amd || !is_shift(which.row)) return always;
  return shift_count(which) > 1 ? always | eflags::kOf : always;
}

// Of two operands in memory that both fault, CMPS meets the destination first on AMD's processors
// up to Zen 4 and on Intel's, and the source on AMD's family 1Ah. Neither manual says.
bool leaves_fault_undefined(const UndefinedCase& which) { return which.row.mnemonic == "cmps"; }

// A near call beyond the limit of CS leaves its return address below the stack on Intel's
// processors, though by the manual the limit is looked at first (SDM vol. 2, CALL, Operation).
bool leaves_memory_undefined(const UndefinedCase& which, const NativeFault& fault) {
  return !which.amd && which.row.mnemonic == "call" && fault.happened && fault.vector == 13;
}

}  // namespace rhea::x86
