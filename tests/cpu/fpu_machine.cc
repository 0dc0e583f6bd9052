// SPDX-License-Identifier: GPL-2.0-or-later
// The processor's bench with everything on that x87 and vector instructions need.
#include "tests/cpu/fpu_machine.h"

#include "target/x86/decode/decode.h"
#include "target/x86/host_features.h"
#include "target/x86/interp/bind.h"

namespace rhea::x86 {

FpuMachine::FpuMachine() {
  model.features &= host_supported_features();
  cpu.cr0 |= cr0::kNe;
  cpu.cr4 |= cr4::kOsfxsr | cr4::kOsxmmexcpt | cr4::kOsxsave;
  cpu.xcr0 = 7;
  cpu.x87 = {};
  bench.enter_long();
}

void FpuMachine::limit_data_segment(u32 limit) {
  enter_protected();
  cpu.seg[Ds].limit = limit;
  cpu.seg[Ds].refresh();
}

std::optional<Vector> FpuMachine::execute(std::span<const u8> bytes) {
  Insn insn;
  const DecodeMode mode{.code_bits = cpu.code_bits, .features = &model.features};
  if (decode(bytes, mode, insn) != DecodeStatus::Ok) return Vector::Ud;
  interp::bind(insn);
  const std::optional<Fault> fault = bench.execute(insn);
  if (fault) return fault->vector;
  return std::nullopt;
}

}  // namespace rhea::x86
