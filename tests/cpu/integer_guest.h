// SPDX-License-Identifier: GPL-2.0-or-later
// A software processor at CPL 3 with the host's pages and segments.
#pragma once

#include "target/x86/decode/decode.h"
#include "tests/cpu/native_run.h"
#include "tests/support/cpu_bench.h"

namespace rhea::x86 {

class IntegerGuest {
 public:
  explicit IntegerGuest(NativeMode mode);

  Cpu& cpu() { return bench_.cpu; }
  u8* window();
  /// Like the host.
  bool is_amd() const { return bench_.model.is_amd(); }
  DecodeMode decode_mode() const;
  /// What the instruction did is in cpu().
  std::optional<Fault> run(const Insn& insn, const NativeState& state);
  /// Where CS:RIP lies.
  u64 linear_rip() const { return bench_.cpu.seg[Cs].base + bench_.cpu.rip(); }

 private:
  void load(unsigned segment, u16 selector);

  test::CpuBench bench_;
  u8 code_bits_;
};

}  // namespace rhea::x86
