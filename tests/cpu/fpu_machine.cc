// SPDX-License-Identifier: GPL-2.0-or-later
// A processor with flat memory and everything on, for single x87 and vector instructions.
#include "tests/cpu/fpu_machine.h"

#include "target/x86/decode/decode.h"
#include "target/x86/host_features.h"
#include "target/x86/interp/bind.h"

namespace rhea::x86 {

HostPage FlatBus::page(u64 address) {
  if (address >= kSize) return {};
  u8* const at = &memory[address & ~u64{0xfff}];
  return {.read = at, .write = at};
}

CpuModel FpuMachine::everything() {
  CpuModel all;
  all.features = host_supported_features();
  return all;
}

FpuMachine::FpuMachine() : model(everything()), cpu(bus, model) {
  cpu.cr0 = cr0::kPe | cr0::kNe;
  cpu.cr4 = cr4::kOsfxsr | cr4::kOsxmmexcpt | cr4::kOsxsave;
  cpu.xcr0 = 7;
  cpu.mode = Mode::Long;
  cpu.code_bits = 64;
  cpu.rip_mask = ~u64{0};
}

void FpuMachine::enter_protected() {
  cpu.mode = Mode::Protected;
  cpu.code_bits = 32;
  for (SegmentRegister& segment : cpu.seg) {
    segment = {.selector = 8, .attributes = 0xc093, .limit = 0xffff'ffff};
    segment.refresh();
  }
}

void FpuMachine::limit_data_segment(u32 limit) {
  enter_protected();
  cpu.seg[Ds].limit = limit;
}

std::optional<Vector> FpuMachine::execute(std::span<const u8> bytes) {
  Insn insn;
  const DecodeMode mode{
      .code_bits = cpu.code_bits, .real_or_v86 = false, .features = &model.features};
  if (decode(bytes, mode, insn) != DecodeStatus::Ok) return Vector::Ud;
  interp::bind(insn);
  try {
    insn.exec(cpu, insn);
  } catch (const Fault& fault) {
    return fault.vector;
  }
  return std::nullopt;
}

}  // namespace rhea::x86
