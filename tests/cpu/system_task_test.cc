// SPDX-License-Identifier: GPL-2.0-or-later
// The hardware task switch.
#include "target/x86/system/events.h"
#include "target/x86/system/functions.h"
#include "tests/support/cpu_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using x86::Fault;
using x86::Vector;
using namespace x86::system;  // NOLINT(google-build-using-namespace): the functions under test
namespace fl = x86::eflags;

constexpr u16 kOther = 0x60;
constexpr u64 kOtherTss = 0xb000;

class Tasks : public ::testing::Test {
 protected:
  Tasks() {
    bench.enter_protected();
    bench.set_gdt(kOther, descriptor(kOtherTss, 0x67, 0x0089));
    bench.poke<u32>(kOtherTss + 0x20, 0x9000);
    bench.poke<u32>(kOtherTss + 0x24, fl::kIf);
    bench.poke<u32>(kOtherTss + 0x28, 0xaaaa'aaaa);
    bench.poke<u32>(kOtherTss + 0x38, 0xc000);
    for (const u32 at : {0x48u, 0x50u, 0x54u, 0x58u, 0x5cu})
      bench.poke<u32>(kOtherTss + at, CpuBench::kData0);
    bench.poke<u32>(kOtherTss + 0x4c, CpuBench::kCode0);
  }
  static void expect(const std::optional<Fault>& fault, Vector vector, u32 error) {
    ASSERT_TRUE(fault.has_value());
    EXPECT_EQ(fault->vector, vector);
    EXPECT_EQ(fault->error, error);
  }
  u8 access_of(u16 selector) { return bench.peek<u8>(CpuBench::kGdt + selector + 5); }

  CpuBench bench;
  x86::Cpu& cpu = bench.cpu;
};

TEST_F(Tasks, JumpLeavesTheOldTaskFree) {
  cpu.gpr[x86::Rbx] = 0x1234;
  EXPECT_FALSE(bench.execute(jmpf, CpuBench::far(kOther, 0)));
  EXPECT_EQ(cpu.rip(), 0x9000u);
  EXPECT_EQ(cpu.gpr[x86::Rax], 0xaaaa'aaaau);
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0xc000u);
  EXPECT_EQ(cpu.rflags(), fl::kIf | fl::kFixed);
  EXPECT_NE(cpu.cr0 & x86::cr0::kTs, 0u);
  EXPECT_EQ(access_of(CpuBench::kTssSelector), 0x89);
  EXPECT_EQ(access_of(kOther), 0x8b);
  EXPECT_EQ(bench.peek<u32>(CpuBench::kTss + 0x20), 0x4002u);
  EXPECT_EQ(bench.peek<u32>(CpuBench::kTss + 0x34), 0x1234u);
}

TEST_F(Tasks, CallNestsAndIretComesBack) {
  EXPECT_FALSE(bench.execute(callf, CpuBench::far(kOther, 0)));
  EXPECT_TRUE(cpu.eflag(fl::kNt));
  EXPECT_EQ(bench.peek<u16>(kOtherTss), CpuBench::kTssSelector);
  EXPECT_EQ(access_of(CpuBench::kTssSelector), 0x8b);
  EXPECT_FALSE(bench.execute(iret, CpuBench::plain()));
  EXPECT_EQ(cpu.tr.selector, CpuBench::kTssSelector);
  EXPECT_EQ(cpu.rip(), 0x4002u);
  EXPECT_EQ(access_of(kOther), 0x89);
  EXPECT_EQ(bench.peek<u32>(kOtherTss + 0x24) & fl::kNt, 0u);
}

TEST_F(Tasks, ABusyTaskCannotBeEntered) {
  bench.set_gdt(kOther, descriptor(kOtherTss, 0x67, 0x008b));
  expect(bench.execute(jmpf, CpuBench::far(kOther, 0)), Vector::Gp, kOther);
  EXPECT_EQ(cpu.tr.selector, CpuBench::kTssSelector);
}

TEST_F(Tasks, AShortTssIsInvalid) {
  bench.set_gdt(kOther, descriptor(kOtherTss, 0x66, 0x0089));
  expect(bench.execute(jmpf, CpuBench::far(kOther, 0)), Vector::Ts, kOther);
}

TEST_F(Tasks, NotPresent) {
  bench.set_gdt(kOther, descriptor(kOtherTss, 0x67, 0x0009));
  expect(bench.execute(jmpf, CpuBench::far(kOther, 0)), Vector::Np, kOther);
}

TEST_F(Tasks, BadSegmentsFaultInTheNewTask) {
  bench.poke<u32>(kOtherTss + 0x54, CpuBench::kCode0 | 4);
  expect(bench.execute(jmpf, CpuBench::far(kOther, 0)), Vector::Ts, CpuBench::kCode0 | 4);
  EXPECT_EQ(cpu.tr.selector, kOther);
  EXPECT_EQ(cpu.insn_rip, 0x9000u);
}

TEST_F(Tasks, TheTrapFlagOfTheTssIsADebugTrap) {
  bench.poke<u16>(kOtherTss + 0x64, 1);
  bench.execute(jmpf, CpuBench::far(kOther, 0));
  EXPECT_EQ(cpu.pending_db, x86::dr6::kBt);
}

TEST_F(Tasks, LocalBreakpointsEnd) {
  cpu.dr7 = 0x403;
  bench.execute(jmpf, CpuBench::far(kOther, 0));
  EXPECT_EQ(cpu.dr7, 0x402u);
}

TEST_F(Tasks, ATaskGateTakesTheErrorCodeAlong) {
  bench.set_idt(13, gate(kOther, 0, 0x85));
  cpu.insn_rip = 0x4000;
  x86::deliver_fault(cpu, {.vector = Vector::Gp, .has_error = true, .error = 0x77});
  EXPECT_EQ(cpu.tr.selector, kOther);
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0xc000u - 4);
  EXPECT_EQ(bench.peek<u32>(0xc000 - 4), 0x77u);
  EXPECT_EQ(bench.peek<u32>(CpuBench::kTss + 0x20), 0x4000u);
  EXPECT_EQ(bench.peek<u32>(CpuBench::kTss + 0x24), fl::kRf | fl::kFixed);
}

TEST_F(Tasks, SixteenBitTask) {
  bench.set_gdt(kOther, descriptor(kOtherTss, 0x2b, 0x0081));
  bench.poke<u16>(kOtherTss + 0x0e, 0x9000);
  bench.poke<u16>(kOtherTss + 0x10, fl::kCf);
  bench.poke<u16>(kOtherTss + 0x1a, 0xc000);
  bench.poke<u16>(kOtherTss + 0x22, CpuBench::kData0);
  bench.poke<u16>(kOtherTss + 0x24, CpuBench::kCode0);
  bench.poke<u16>(kOtherTss + 0x26, CpuBench::kData0);
  bench.poke<u16>(kOtherTss + 0x28, 0);
  bench.poke<u16>(kOtherTss + 0x2a, 0);
  EXPECT_FALSE(bench.execute(jmpf, CpuBench::far(kOther, 0)));
  EXPECT_EQ(cpu.rip(), 0x9000u);
  EXPECT_EQ(cpu.reg<u16>(x86::Rsp), 0xc000);
  EXPECT_TRUE(cpu.seg[x86::Ds].unusable);
}

TEST_F(Tasks, Virtual8086Task) {
  bench.poke<u32>(kOtherTss + 0x24, static_cast<u32>(fl::kVm));
  bench.poke<u32>(kOtherTss + 0x20, 0x123);
  bench.poke<u32>(kOtherTss + 0x4c, 0x2000);
  EXPECT_FALSE(bench.execute(jmpf, CpuBench::far(kOther, 0)));
  EXPECT_EQ(cpu.mode, x86::Mode::Virtual8086);
  EXPECT_EQ(cpu.seg[x86::Cs].base, 0x2'0000u);
  EXPECT_EQ(cpu.cpl, 3);
}

}  // namespace
}  // namespace rhea::test
