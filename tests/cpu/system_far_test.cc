// SPDX-License-Identifier: GPL-2.0-or-later
// Far jumps, calls and returns, through gates and between levels; IRET.
#include "target/x86/system/functions.h"
#include "tests/support/cpu_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using x86::Fault;
using x86::Vector;
using namespace x86::system;  // NOLINT(google-build-using-namespace): the functions under test
namespace fl = x86::eflags;

class Far : public ::testing::Test {
 protected:
  Far() { bench.enter_protected(); }
  static void expect(const std::optional<Fault>& fault, Vector vector, u32 error) {
    ASSERT_TRUE(fault.has_value());
    EXPECT_EQ(fault->vector, vector);
    EXPECT_EQ(fault->error, error);
  }
  void push32(std::initializer_list<u32> values) {
    for (const u32 value : values) {
      cpu.gpr[x86::Rsp] -= 4;
      bench.poke<u32>(cpu.gpr[x86::Rsp], value);
    }
  }
  void push64(std::initializer_list<u64> values) {
    for (const u64 value : values) {
      cpu.gpr[x86::Rsp] -= 8;
      bench.poke<u64>(cpu.gpr[x86::Rsp], value);
    }
  }

  CpuBench bench;
  x86::Cpu& cpu = bench.cpu;
};

TEST_F(Far, JumpLoadsCs) {
  bench.set_gdt(CpuBench::kFree, descriptor(0x100, 0xffff, 0x009a));
  EXPECT_FALSE(bench.execute(jmpf, CpuBench::far(CpuBench::kFree, 0x5000)));
  EXPECT_EQ(cpu.seg[x86::Cs].selector, CpuBench::kFree);
  EXPECT_EQ(cpu.rip(), 0x5000u);
  EXPECT_EQ(cpu.code_bits, 16);
}

TEST_F(Far, JumpBeyondTheLimit) {
  bench.set_gdt(CpuBench::kFree, descriptor(0, 0x4fff, 0x409b));
  expect(bench.execute(jmpf, CpuBench::far(CpuBench::kFree, 0x5000)), Vector::Gp, 0);
}

TEST_F(Far, JumpToDataIsRefused) {
  expect(bench.execute(jmpf, CpuBench::far(CpuBench::kData0, 0)), Vector::Gp, CpuBench::kData0);
}

TEST_F(Far, JumpToAnotherLevelIsRefused) {
  expect(bench.execute(jmpf, CpuBench::far(CpuBench::kCode3, 0)), Vector::Gp,
         CpuBench::kCode3 & 0xfffc);
}

TEST_F(Far, JumpToNull) { expect(bench.execute(jmpf, CpuBench::far(0, 0)), Vector::Gp, 0); }

TEST_F(Far, JumpInRealMode) {
  CpuBench real;
  EXPECT_FALSE(real.execute(jmpf, CpuBench::far(0x1234, 0x10, 2)));
  EXPECT_EQ(real.cpu.seg[x86::Cs].base, 0x1'2340u);
  EXPECT_EQ(real.cpu.rip(), 0x10u);
}

TEST_F(Far, CallPushesTheReturnAddress) {
  EXPECT_FALSE(bench.execute(callf, CpuBench::far(CpuBench::kCode0, 0x5000)));
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0x5ff8u);
  EXPECT_EQ(bench.peek<u32>(0x5ff8), 0x4002u);
  EXPECT_EQ(bench.peek<u32>(0x5ffc), CpuBench::kCode0);
}

TEST_F(Far, CallGateSwitchesStackAndCopiesParameters) {
  bench.set_gdt(CpuBench::kFree, gate(CpuBench::kCode0, 0x9000, 0xec, 2));
  bench.enter_user();
  push32({0x1111, 0x2222});
  EXPECT_FALSE(bench.execute(callf, CpuBench::far(CpuBench::kFree | 3, 0xdead)));
  EXPECT_EQ(cpu.cpl, 0);
  EXPECT_EQ(cpu.rip(), 0x9000u);
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0x7000u - 24);
  EXPECT_EQ(bench.peek<u32>(0x7000 - 4), CpuBench::kData3);
  EXPECT_EQ(bench.peek<u32>(0x7000 - 8), 0x4ff8u);
  EXPECT_EQ(bench.peek<u32>(0x7000 - 12), 0x1111u);
  EXPECT_EQ(bench.peek<u32>(0x7000 - 16), 0x2222u);
  EXPECT_EQ(bench.peek<u32>(0x7000 - 20), CpuBench::kCode3);
  EXPECT_EQ(bench.peek<u32>(0x7000 - 24), 0x4002u);
}

TEST_F(Far, CallGateDplIsChecked) {
  bench.set_gdt(CpuBench::kFree, gate(CpuBench::kCode0, 0x9000, 0x8c));
  bench.enter_user();
  expect(bench.execute(callf, CpuBench::far(CpuBench::kFree, 0)), Vector::Gp, CpuBench::kFree);
}

TEST_F(Far, InnerStackOfTheWrongLevelIsAnInvalidTss) {
  bench.set_gdt(CpuBench::kFree, gate(CpuBench::kCode0, 0x9000, 0xec));
  bench.poke<u16>(CpuBench::kTss + 8, CpuBench::kData3);
  bench.enter_user();
  expect(bench.execute(callf, CpuBench::far(CpuBench::kFree, 0)), Vector::Ts,
         CpuBench::kData3 & 0xfffc);
}

TEST_F(Far, JumpGateMayNotChangeTheLevel) {
  bench.set_gdt(CpuBench::kFree, gate(CpuBench::kCode0, 0x9000, 0xec));
  bench.enter_user();
  expect(bench.execute(jmpf, CpuBench::far(CpuBench::kFree, 0)), Vector::Gp, CpuBench::kCode0);
}

TEST_F(Far, LongModeGateTakesTheStackFromTheTss) {
  bench.enter_long();
  bench.set_gdt(CpuBench::kFree, gate(CpuBench::kLong0, 0x9000, 0xec), 0);
  bench.enter_user();
  EXPECT_FALSE(bench.execute(callf, CpuBench::far(CpuBench::kFree, 0)));
  EXPECT_EQ(cpu.cpl, 0);
  EXPECT_EQ(cpu.seg[x86::Ss].selector, 0);
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0x7000u - 32);
  EXPECT_EQ(bench.peek<u64>(0x7000 - 8), CpuBench::kData3);
}

TEST_F(Far, ReturnToAnOuterLevelReleasesOnBothStacks) {
  push32({CpuBench::kData3, 0x5000, 0xaaaa, CpuBench::kCode3, 0x4321});
  EXPECT_FALSE(bench.execute(retf, CpuBench::immediate(4)));
  EXPECT_EQ(cpu.cpl, 3);
  EXPECT_EQ(cpu.rip(), 0x4321u);
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0x5004u);
  EXPECT_TRUE(cpu.seg[x86::Ds].unusable);
}

TEST_F(Far, ReturnToAnInnerLevelIsRefused) {
  bench.enter_user();
  push32({CpuBench::kCode0, 0x4321});
  expect(bench.execute(retf, CpuBench::plain()), Vector::Gp, CpuBench::kCode0);
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0x4ff8u);
}

TEST_F(Far, IretToTheSameLevel) {
  push32({fl::kTf | fl::kIopl | fl::kIf | fl::kCf, CpuBench::kCode0, 0x4321});
  cpu.nmi_blocked = true;
  EXPECT_FALSE(bench.execute(iret, CpuBench::plain()));
  EXPECT_EQ(cpu.rflags(), fl::kTf | fl::kIopl | fl::kIf | fl::kCf | fl::kFixed);
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0x6000u);
  EXPECT_FALSE(cpu.nmi_blocked);
}

TEST_F(Far, IretOfUsersLeavesIfAndIopl) {
  bench.enter_user();
  push32({fl::kIopl | fl::kIf | fl::kZf, CpuBench::kCode3, 0x4321});
  EXPECT_FALSE(bench.execute(iret, CpuBench::plain()));
  EXPECT_EQ(cpu.rflags(), fl::kZf | fl::kFixed);
}

TEST_F(Far, IretToVirtual8086Mode) {
  push32({0x6000, 0x5000, 0x4000, 0x3000, 0x2000, 0x0ffe, static_cast<u32>(fl::kVm | fl::kIf),
          0x1000, 0x0123});
  EXPECT_FALSE(bench.execute(iret, CpuBench::plain()));
  EXPECT_EQ(cpu.mode, x86::Mode::Virtual8086);
  EXPECT_EQ(cpu.cpl, 3);
  EXPECT_EQ(cpu.seg[x86::Cs].base, 0x1'0000u);
  EXPECT_EQ(cpu.seg[x86::Ss].base, 0x2'0000u);
  EXPECT_EQ(cpu.seg[x86::Es].selector, 0x3000);
  EXPECT_EQ(cpu.seg[x86::Gs].selector, 0x6000);
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0x0ffeu);
}

TEST_F(Far, IretInLongModeAlwaysPopsTheStack) {
  bench.enter_long();
  push64({CpuBench::kData0, 0x7777, fl::kFixed, CpuBench::kLong0, 0x4321});
  EXPECT_FALSE(bench.execute(iret, CpuBench::plain(8)));
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0x7777u);
  EXPECT_EQ(cpu.seg[x86::Ss].selector, CpuBench::kData0);
}

TEST_F(Far, SegmentsTakenAwayByAReturnKeepTheirBases) {
  bench.enter_long();
  cpu.seg[x86::Gs] = cpu.seg[x86::Ds];
  cpu.seg[x86::Gs].base = 0x40'0000;
  cpu.seg[x86::Fs].selector = 3;
  push64({CpuBench::kData3, 0x7000, fl::kFixed, CpuBench::kLong3, 0x4321});
  EXPECT_FALSE(bench.execute(iret, CpuBench::plain(8)));
  EXPECT_EQ(cpu.cpl, 3);
  EXPECT_EQ(cpu.seg[x86::Gs].selector, 0);
  EXPECT_TRUE(cpu.seg[x86::Gs].unusable);
  EXPECT_EQ(cpu.seg[x86::Gs].base, 0x40'0000u);
  EXPECT_EQ(cpu.seg[x86::Fs].selector, 0);
}

TEST_F(Far, IretInLongModeToANonCanonicalAddress) {
  bench.enter_long();
  push64({CpuBench::kData3, 0x7777, fl::kFixed, CpuBench::kLong3, u64{1} << 47});
  expect(bench.execute(iret, CpuBench::plain(8)), Vector::Gp, 0);
  EXPECT_EQ(cpu.cpl, 0);
}

TEST_F(Far, IretInLongModeRefusesNestedTasks) {
  bench.enter_long();
  cpu.set_rflags(fl::kNt);
  expect(bench.execute(iret, CpuBench::plain(8)), Vector::Gp, 0);
}

TEST_F(Far, SyscallAndSysret) {
  bench.enter_long();
  cpu.star = u64{0x0023'0028} << 32;
  cpu.lstar = 0x8000;
  cpu.sfmask = fl::kIf;
  bench.enter_user();
  cpu.set_rflags(fl::kIf | fl::kCf);
  EXPECT_FALSE(bench.execute(syscall, CpuBench::plain()));
  EXPECT_EQ(cpu.cpl, 0);
  EXPECT_EQ(cpu.rip(), 0x8000u);
  EXPECT_EQ(cpu.gpr[x86::Rcx], 0x4002u);
  EXPECT_EQ(cpu.rflags(), fl::kCf | fl::kFixed);
  EXPECT_FALSE(bench.execute(sysret, CpuBench::plain(8)));
  EXPECT_EQ(cpu.cpl, 3);
  EXPECT_EQ(cpu.seg[x86::Cs].selector, 0x33);
  EXPECT_EQ(cpu.rip(), 0x4002u);
  EXPECT_EQ(cpu.rflags(), fl::kIf | fl::kCf | fl::kFixed);
}

TEST_F(Far, SyscallIsTracedByTheFlagsOfTheKernel) {
  bench.enter_long();
  cpu.star = u64{0x0023'0028} << 32;
  cpu.sfmask = fl::kTf;
  bench.enter_user();
  cpu.set_rflags(fl::kTf);
  cpu.traced = true;
  EXPECT_FALSE(bench.execute(syscall, CpuBench::plain()));
  EXPECT_FALSE(cpu.traced);
  EXPECT_EQ(cpu.pending_db, 0u);
  cpu.gpr[x86::R11] = fl::kTf;
  EXPECT_FALSE(bench.execute(sysret, CpuBench::plain(8)));
  EXPECT_EQ(cpu.pending_db, x86::dr6::kBs);
}

TEST_F(Far, SysenterNeedsACodeSegment) {
  expect(bench.execute(sysenter, CpuBench::plain()), Vector::Gp, 0);
  cpu.sysenter_cs = CpuBench::kCode0;
  cpu.sysenter_eip = 0x8888;
  cpu.sysenter_esp = 0x7777;
  EXPECT_FALSE(bench.execute(sysenter, CpuBench::plain()));
  EXPECT_EQ(cpu.rip(), 0x8888u);
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0x7777u);
}

}  // namespace
}  // namespace rhea::test
