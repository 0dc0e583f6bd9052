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
  /// `amd`: of the processor's two kinds of far pointers with REX.W.
  IntegerState(NativeMode mode, u64 seed, bool amd)
      : mode_(mode),
        amd_(amd),
        base_(layout(mode).base),
        branch_(layout(mode).branch),
        random_(seed) {}

  isa::Random& random() { return random_; }
  /// Points a displacement that nothing else can correct (RIP-relative, absolute) into the window.
  /// False: cannot be done. `at` is where the instruction will lie.
  bool fix_displacement(std::vector<u8>& code, const Insn& insn, u64 at);
  /// Gives a far pointer in the instruction a segment that the host has.
  void fix_far_pointer(std::vector<u8>& code, const Insn& insn);
  /// Registers for `insn`, whose row has `mnemonic`; memory near its operands is filled as well.
  NativeState make(const Insn& insn, std::string_view mnemonic, u64 at);

 private:
  u64 below(u64 limit) { return random_() % limit; }
  bool one_in(u64 n) { return below(n) == 0; }
  u64 edge();
  u64 any_target();
  u64 code_target(u64 base);
  u64 with_upper(u64 value, unsigned width);
  u16 any_selector();
  void choose_segments(NativeState& state);
  unsigned stack_width(const NativeState& state) const;
  void fill(u64 around);
  void point_operand(NativeState& state, const Insn& insn);
  void point_implied(NativeState& state, const Insn& insn, std::string_view mnemonic);
  void prepare(NativeState& state, const Insn& insn, std::string_view mnemonic);
  void match_compared(NativeState& state, const Insn& insn, std::string_view mnemonic);
  void point_stack(NativeState& state, const Insn& insn, std::string_view mnemonic);
  void fill_stack(u64 at, const Insn& insn, std::string_view mnemonic);
  void point_selector(NativeState& state, const Insn& insn, std::string_view mnemonic);
  void put_word(u64 at, u64 value);
  void put_half(u64 at, u16 value);
  void put_far_pointer(u64 at, unsigned size, u16 rpl = 0);

  NativeMode mode_;
  bool amd_;
  u64 base_, branch_;
  isa::Random random_;
  u64 target_{};  ///< linear
};

bool is_branch(std::string_view mnemonic);
/// To another code segment.
bool is_far(std::string_view mnemonic);

}  // namespace rhea::x86
