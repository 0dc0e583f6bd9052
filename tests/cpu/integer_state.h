// SPDX-License-Identifier: GPL-2.0-or-later
// Random registers and memory for one instruction, such that its operands lie where the host has
// pages for them.
#pragma once

#include "target/x86/insn.h"
#include "target/x86/isa/generate.h"
#include "tests/cpu/native_run.h"

#include <string_view>

namespace rhea::x86 {

class IntegerState {
 public:
  explicit IntegerState(u64 seed) : random_(seed) {}

  isa::Random& random() { return random_; }
  /// Points a displacement that nothing else can correct (RIP-relative, absolute) into the window.
  /// False: cannot be done. `at` is where the instruction will lie.
  bool fix_displacement(std::vector<u8>& code, const Insn& insn, u64 at);
  /// Registers for `insn`, whose row has `mnemonic`; memory near its operands is filled as well.
  NativeState make(const Insn& insn, std::string_view mnemonic, u64 at);
  /// Where memory has to be the same on both sides from now on.
  u64 touched() const { return target_; }

 private:
  u64 below(u64 limit) { return random_() % limit; }
  bool one_in(u64 n) { return below(n) == 0; }
  u64 edge();
  u64 any_target();
  u64 code_target();
  void fill(u64 around);
  void point_operand(NativeState& state, const Insn& insn);
  void point_implied(NativeState& state, const Insn& insn, std::string_view mnemonic);
  void prepare(NativeState& state, const Insn& insn, std::string_view mnemonic);
  void match_compared(NativeState& state, const Insn& insn, std::string_view mnemonic);
  void put_word(u64 at, u64 value);

  isa::Random random_;
  u64 target_{};
};

bool is_branch(std::string_view mnemonic);

}  // namespace rhea::x86
