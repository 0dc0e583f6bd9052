// SPDX-License-Identifier: GPL-2.0-or-later
// Loading segment registers and asking about selectors.
#include "target/x86/system/functions.h"
#include "target/x86/system/segments.h"
#include "tests/support/cpu_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using x86::Fault;
using x86::Vector;

struct Segments : testing::Test {
  Segments() { bench.enter_protected(); }
  std::optional<Fault> load(unsigned segment, u16 selector) {
    return CpuBench::fault_of([&] { x86::system::load_segment(cpu, segment, selector); });
  }
  static void expect(const std::optional<Fault>& fault, Vector vector, u32 error) {
    ASSERT_TRUE(fault.has_value());
    EXPECT_EQ(fault->vector, vector);
    EXPECT_EQ(fault->error, error);
  }

  CpuBench bench;
  x86::Cpu& cpu = bench.cpu;
};

TEST_F(Segments, ADataSegmentGivesBaseAndLimit) {
  bench.set_gdt(CpuBench::kFree, descriptor(0x1234'5678, 0x1'2345, 0x0092));
  EXPECT_FALSE(load(x86::Es, CpuBench::kFree));
  EXPECT_EQ(cpu.seg[x86::Es].base, 0x1234'5678u);
  EXPECT_EQ(cpu.seg[x86::Es].limit, 0x1'2345u);
}

TEST_F(Segments, LoadingSetsTheAccessedBit) {
  bench.set_gdt(CpuBench::kFree, descriptor(0, 0xffff, 0x0092));
  load(x86::Es, CpuBench::kFree);
  EXPECT_EQ(bench.peek<u8>(CpuBench::kGdt + CpuBench::kFree + 5), 0x93);
  EXPECT_EQ(cpu.seg[x86::Es].attributes, 0x93);
}

TEST_F(Segments, SelectorsBeyondTheTableAreRefused) {
  expect(load(x86::Ds, 0x1000), Vector::Gp, 0x1000);
}

TEST_F(Segments, LdtSelectorsNeedAnLdt) { expect(load(x86::Ds, 0x0c), Vector::Gp, 0x0c); }

TEST_F(Segments, NotPresent) {
  bench.set_gdt(CpuBench::kFree, descriptor(0, 0xffff, 0x0012));
  expect(load(x86::Ds, CpuBench::kFree), Vector::Np, CpuBench::kFree);
  expect(load(x86::Ss, CpuBench::kFree), Vector::Ss, CpuBench::kFree);
}

TEST_F(Segments, ExecuteOnlyCodeIsNoData) {
  bench.set_gdt(CpuBench::kFree, descriptor(0, 0xffff, 0x0098));
  expect(load(x86::Ds, CpuBench::kFree), Vector::Gp, CpuBench::kFree);
}

TEST_F(Segments, UsersMayNotLoadInnerData) {
  bench.enter_user();
  expect(load(x86::Ds, CpuBench::kData0 | 3), Vector::Gp, CpuBench::kData0);
}

TEST_F(Segments, UsersMayLoadConformingCode) {
  bench.enter_user();
  bench.set_gdt(CpuBench::kFree, descriptor(0, 0xffff, 0x009f));
  EXPECT_FALSE(load(x86::Ds, CpuBench::kFree));
}

TEST_F(Segments, TheStackMustBeWritableDataOfTheLevel) {
  expect(load(x86::Ss, CpuBench::kCode0), Vector::Gp, CpuBench::kCode0);
  expect(load(x86::Ss, CpuBench::kData3), Vector::Gp, CpuBench::kData3 & 0xfffc);
  expect(load(x86::Ss, 0), Vector::Gp, 0);
  EXPECT_FALSE(load(x86::Ss, CpuBench::kData0));
}

TEST_F(Segments, NullMakesDataUnusable) {
  EXPECT_FALSE(load(x86::Ds, 3));
  const auto fault = CpuBench::fault_of([&] { cpu.read<u8>(x86::Ds, 0); });
  expect(fault, Vector::Gp, 0);
}

TEST_F(Segments, ExpandDownIsTheOtherWayRound) {
  bench.set_gdt(CpuBench::kFree, descriptor(0, 0x0fff, 0x4097));
  ASSERT_FALSE(load(x86::Es, CpuBench::kFree));
  EXPECT_FALSE(CpuBench::fault_of([&] { cpu.read<u8>(x86::Es, 0x1000); }));
  expect(CpuBench::fault_of([&] { cpu.read<u8>(x86::Es, 0x0fff); }), Vector::Gp, 0);
}

TEST_F(Segments, LimitsOfTheStackAreStackFaults) {
  bench.set_gdt(CpuBench::kFree, descriptor(0, 0x0fff, 0x4093));
  ASSERT_FALSE(load(x86::Ss, CpuBench::kFree));
  expect(CpuBench::fault_of([&] { cpu.read<u32>(x86::Ss, 0x0ffd); }), Vector::Ss, 0);
}

TEST_F(Segments, RealModeKeepsLimits) {
  cpu.cr0 &= ~x86::cr0::kPe;
  cpu.update_mode();
  EXPECT_FALSE(load(x86::Es, 0x1234));
  EXPECT_EQ(cpu.seg[x86::Es].base, 0x1'2340u);
  EXPECT_EQ(cpu.seg[x86::Es].limit, 0xffff'ffffu);
}

TEST_F(Segments, Virtual8086ModeSetsThem) {
  bench.enter_virtual_8086(3);
  EXPECT_FALSE(load(x86::Es, 0x1234));
  EXPECT_EQ(cpu.seg[x86::Es].limit, 0xffffu);
  EXPECT_EQ(cpu.seg[x86::Es].dpl(), 3u);
}

TEST_F(Segments, NullStackIn64BitModeBelowLevel3) {
  bench.enter_long();
  EXPECT_FALSE(load(x86::Ss, 0));
  bench.enter_user();
  expect(load(x86::Ss, 3), Vector::Gp, 0);
}

TEST_F(Segments, MovToSsHoldsInterruptsOff) {
  cpu.gpr[x86::Rax] = CpuBench::kData0;
  bench.execute(x86::system::mov_to_segment,
                CpuBench::two(CpuBench::segment(x86::Ss), CpuBench::gpr(x86::Rax)));
  EXPECT_TRUE(cpu.shadow_next);
  EXPECT_TRUE(cpu.traps_held);
}

TEST_F(Segments, MovToCsDoesNotExist) {
  const auto fault =
      bench.execute(x86::system::mov_to_segment,
                    CpuBench::two(CpuBench::segment(x86::Cs), CpuBench::gpr(x86::Rax)));
  expect(fault, Vector::Ud, 0);
}

TEST_F(Segments, PopKeepsTheStackPointerOnAFault) {
  bench.poke<u32>(0x6000, 0x1000);
  auto insn = CpuBench::plain();
  insn.op[0] = CpuBench::segment(x86::Ds);
  expect(bench.execute(x86::system::pop_segment, insn), Vector::Gp, 0x1000);
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0x6000u);
}

TEST_F(Segments, ArplWritesOnlyWhatItRaises) {
  cpu.seg[x86::Ds].attributes &= ~2;  // read-only
  cpu.seg[x86::Ds].refresh();
  bench.poke<u16>(0x9000, 0x0ab2);
  cpu.gpr[x86::Rcx] = 2;
  auto insn = CpuBench::memory(0x9000, 0, 2);
  insn.op[1] = CpuBench::gpr(x86::Rcx, 2);
  EXPECT_FALSE(bench.execute(x86::system::arpl, insn));
  EXPECT_FALSE(cpu.flags.zf());
  cpu.gpr[x86::Rcx] = 3;
  expect(bench.execute(x86::system::arpl, insn), Vector::Gp, 0);
}

TEST_F(Segments, LarGivesTheAccessRights) {
  cpu.gpr[x86::Rcx] = CpuBench::kData3;
  bench.execute(x86::system::lar, CpuBench::two(CpuBench::gpr(x86::Rax), CpuBench::gpr(x86::Rcx)));
  EXPECT_EQ(cpu.gpr[x86::Rax], 0x00cf'f300u);
  EXPECT_TRUE(cpu.flags.zf());
}

TEST_F(Segments, LslGivesTheLimitInBytes) {
  cpu.gpr[x86::Rcx] = CpuBench::kData3;
  bench.execute(x86::system::lsl, CpuBench::two(CpuBench::gpr(x86::Rax), CpuBench::gpr(x86::Rcx)));
  EXPECT_EQ(cpu.gpr[x86::Rax], 0xffff'ffffu);
}

TEST_F(Segments, LslOfNullClearsZf) {
  cpu.gpr[x86::Rax] = 7;
  cpu.gpr[x86::Rcx] = 0;
  cpu.flags.set_value(x86::eflags::kZf);
  bench.execute(x86::system::lsl, CpuBench::two(CpuBench::gpr(x86::Rax), CpuBench::gpr(x86::Rcx)));
  EXPECT_EQ(cpu.gpr[x86::Rax], 7u);
  EXPECT_FALSE(cpu.flags.zf());
}

TEST_F(Segments, LtrMarksTheTssBusy) {
  bench.set_gdt(CpuBench::kFree, descriptor(0x2000, 0x67, 0x0089));
  cpu.gpr[x86::Rax] = CpuBench::kFree;
  auto insn = CpuBench::plain();
  insn.op[0] = CpuBench::gpr(x86::Rax, 2);
  EXPECT_FALSE(bench.execute(x86::system::ltr, insn));
  EXPECT_EQ(bench.peek<u8>(CpuBench::kGdt + CpuBench::kFree + 5), 0x8b);
  expect(bench.execute(x86::system::ltr, insn), Vector::Gp, CpuBench::kFree);
}

TEST_F(Segments, UmipHidesTablesFromUsers) {
  cpu.cr4 |= x86::cr4::kUmip;
  bench.enter_user();
  expect(bench.execute(x86::system::sgdt, CpuBench::memory(0x9000)), Vector::Gp, 0);
}

TEST_F(Segments, LgdtWith16BitOperandsTakes24Bits) {
  bench.poke<u16>(0x9000, 0x1ff);
  bench.poke<u32>(0x9002, 0x1234'5678);
  bench.execute(x86::system::lgdt, CpuBench::memory(0x9000, 0, 2));
  EXPECT_EQ(cpu.gdtr.base, 0x34'5678u);
  EXPECT_EQ(cpu.gdtr.limit, 0x1ff);
}

}  // namespace
}  // namespace rhea::test
