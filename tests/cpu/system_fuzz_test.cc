// SPDX-License-Identifier: GPL-2.0-or-later
// System instructions with random operands in random states: whatever a guest does ends in a fault
// or in a consistent processor.
#include "target/x86/interp/bind.h"
#include "target/x86/system/events.h"
#include "target/x86/system/smm.h"
#include "tests/support/cpu_bench.h"

#include <gtest/gtest.h>

#include <random>

namespace rhea::test {
namespace {

using x86::Insn;
using x86::OperandKind;
using x86::interp::Binding;

constexpr unsigned kSeeds = 400, kInstructions = 8;

class SystemFuzz : public ::testing::TestWithParam<unsigned> {
 protected:
  u64 below(u64 limit) { return random_() % limit; }
  bool one_in(u64 n) { return below(n) == 0; }
  /// A number that may be a selector of the table, or anything.
  u64 value() { return one_in(2) ? random_() : below(16) * 8 + below(4); }

  void enter_some_mode() {
    switch (below(4)) {
      case 0: bench.enter_protected(); break;
      case 1: bench.enter_long(); break;
      case 2: bench.enter_virtual_8086(static_cast<unsigned>(below(4))); break;
      default: break;
    }
    if (cpu.mode != x86::Mode::Real && one_in(3)) bench.enter_user();
  }
  /// Present descriptors and gates of all types, stacks with selectors on them.
  void fill_memory() {
    for (u64 at = CpuBench::kGdt + CpuBench::kTssSelector + 8; at < 0x1200; at += 8)
      bench.poke<u64>(at, random_() | u64{1} << 47);
    for (u64 at = CpuBench::kIdt; at < 0x4000; at += 8)
      bench.poke<u64>(at,
                      (random_() & ~u64{0x1000'ffff'0000}) | u64{1} << 47 | value() % 128 << 16);
    for (u64 at = 0x4f00; at < 0x6100; at += 4) bench.poke<u32>(at, static_cast<u32>(value()));
  }
  x86::Operand operand(OperandKind kind) {
    const u8 reg = static_cast<u8>(below(kind == OperandKind::Segment ? 6 : 16));
    return {.kind = kind, .reg = reg, .size = static_cast<u8>(1 << below(3))};
  }
  /// The operand that says what the instruction is about, by its mnemonic.
  OperandKind special(std::string_view mnemonic) {
    if (mnemonic.ends_with("seg")) return OperandKind::Segment;
    if (mnemonic == "movcr") return OperandKind::Control;
    return mnemonic == "movdr" ? OperandKind::Debug : OperandKind::Gpr;
  }
  Insn instruction(const Binding& binding) {
    Insn insn = CpuBench::plain(2u << below(cpu.long_mode() ? 3 : 2));
    insn.address_size = cpu.long_mode() ? 8 : 4;
    insn.imm = value();
    insn.imm2 = static_cast<u16>(value());
    insn.disp = static_cast<i32>(one_in(8) ? random_() : 0x4f00 + below(0x1000));
    insn.seg = static_cast<u8>(below(6));
    const bool first = one_in(2);
    insn.op[first ? 0 : 1] = operand(special(binding.mnemonic));
    insn.op[first ? 1 : 0] = operand(one_in(2) ? OperandKind::Memory : OperandKind::Gpr);
    return insn;
  }
  /// PUSH and POP have but one operand, and there is no POP CS.
  static bool is_encodable(const Binding& binding, const Insn& insn) {
    if (binding.mnemonic != "popseg" && binding.mnemonic != "pushseg") return true;
    return insn.op[0].kind == OperandKind::Segment &&
           (binding.mnemonic == "pushseg" || insn.op[0].reg != x86::Cs);
  }
  const Binding& any_binding() {
    const std::array families = {x86::interp::far_bindings(),    x86::interp::segment_bindings(),
                                 x86::interp::system_bindings(), x86::interp::msr_bindings(),
                                 x86::interp::flag_bindings(),   x86::interp::io_bindings()};
    const auto family = families[below(families.size())];
    return family[below(family.size())];
  }
  void step() {
    const Binding& binding = any_binding();
    const Insn insn = instruction(binding);
    if (!is_encodable(binding, insn)) return;
    SCOPED_TRACE(binding.mnemonic);
    for (const unsigned n : {x86::Rax, x86::Rcx, x86::Rdx, x86::Rbx}) cpu.gpr[n] = value();
    if (const auto fault = bench.execute(binding.bind(insn), insn)) deliver_fault(cpu, *fault);
    if (!cpu.smm && one_in(16)) enter_smm(cpu);
    expect_consistent();
  }
  /// What is derived from the registers is what update_mode() would make of them.
  void expect_consistent() {
    const auto derived = [this] { return std::tuple(cpu.mode, cpu.code_bits, cpu.privilege); };
    const auto before = derived();
    cpu.update_mode();
    EXPECT_EQ(before, derived());
    EXPECT_LE(cpu.cpl, 3);
    EXPECT_NE(cpu.rflags() & x86::eflags::kFixed, 0u);
  }

  CpuBench bench;
  x86::Cpu& cpu = bench.cpu;

 private:
  std::mt19937_64 random_{GetParam()};
};

TEST_P(SystemFuzz, StaysConsistent) {
  enter_some_mode();
  fill_memory();
  for (unsigned i = 0; i < kInstructions && cpu.activity != x86::Activity::Shutdown; ++i) step();
}

INSTANTIATE_TEST_SUITE_P(Seeds, SystemFuzz, ::testing::Range(0u, kSeeds));

}  // namespace
}  // namespace rhea::test
