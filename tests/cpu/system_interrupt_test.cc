// SPDX-License-Identifier: GPL-2.0-or-later
// Delivery of interrupts and exceptions; double and triple faults; virtual-8086 extensions.
#include "target/x86/system/events.h"
#include "target/x86/system/functions.h"
#include "tests/support/cpu_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using x86::Activity;
using x86::deliver;
using x86::deliver_fault;
using x86::EventKind;
using x86::Fault;
using x86::Vector;
namespace fl = x86::eflags;

constexpr u8 kInterrupt32 = 0x8e, kTrap32 = 0x8f, kUserTrap32 = 0xef, kInterrupt16 = 0x86;
constexpr u32 kHandler = 0x9000;

class Interrupts : public ::testing::Test {
 protected:
  Interrupts() { bench.enter_protected(); }
  static void expect(const std::optional<Fault>& fault, Vector vector, u32 error) {
    ASSERT_TRUE(fault.has_value());
    EXPECT_EQ(fault->vector, vector);
    EXPECT_EQ(fault->error, error);
  }
  std::optional<Fault> external(u8 vector) {
    return CpuBench::fault_of(
        [&] { deliver(cpu, {.vector = vector, .kind = EventKind::External}); });
  }
  u32 stack32(u32 n) { return bench.peek<u32>(cpu.gpr[x86::Rsp] + 4 * n); }
  u64 stack64(u32 n) { return bench.peek<u64>(cpu.gpr[x86::Rsp] + 8 * n); }

  CpuBench bench;
  x86::Cpu& cpu = bench.cpu;
};

TEST_F(Interrupts, RealModeUsesTheVectorTable) {
  CpuBench real;
  real.cpu.seg[x86::Cs].base = 0;
  real.cpu.seg[x86::Cs].selector = 0;
  real.cpu.set_rip(0x1234);
  real.cpu.idtr = {.base = 0, .limit = 0x3ff};
  real.cpu.gpr[x86::Rsp] = 0x8000;
  real.cpu.set_rflags(fl::kIf | fl::kTf | fl::kCf);
  real.poke<u32>(0x21 * 4, 0x2000'0100);
  deliver(real.cpu, {.vector = 0x21, .kind = EventKind::External});
  EXPECT_EQ(real.cpu.seg[x86::Cs].base, 0x2'0000u);
  EXPECT_EQ(real.cpu.rip(), 0x100u);
  EXPECT_EQ(real.peek<u16>(0x7ffa), 0x1234);
  EXPECT_EQ(real.peek<u16>(0x7ffe), fl::kIf | fl::kTf | fl::kCf | fl::kFixed);
  EXPECT_EQ(real.cpu.rflags(), fl::kCf | fl::kFixed);
}

TEST_F(Interrupts, InterruptGateOfTheSameLevel) {
  bench.set_idt(0x30, gate(CpuBench::kCode0, kHandler, kInterrupt32));
  cpu.set_rflags(fl::kIf | fl::kTf | fl::kNt);
  EXPECT_FALSE(external(0x30));
  EXPECT_EQ(cpu.rip(), kHandler);
  EXPECT_EQ(stack32(0), 0x4000u);
  EXPECT_EQ(stack32(1), CpuBench::kCode0);
  EXPECT_EQ(stack32(2), fl::kIf | fl::kTf | fl::kNt | fl::kFixed);
  EXPECT_EQ(cpu.rflags(), fl::kFixed);
}

TEST_F(Interrupts, TrapGateLeavesIf) {
  bench.set_idt(0x30, gate(CpuBench::kCode0, kHandler, kTrap32));
  cpu.set_rflags(fl::kIf);
  EXPECT_FALSE(external(0x30));
  EXPECT_TRUE(cpu.eflag(fl::kIf));
}

TEST_F(Interrupts, SixteenBitGatePushesWords) {
  bench.set_idt(0x30, gate(CpuBench::kCode0, kHandler, kInterrupt16));
  EXPECT_FALSE(external(0x30));
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0x6000u - 6);
}

TEST_F(Interrupts, InnerLevelSwitchesStacks) {
  bench.set_idt(0x30, gate(CpuBench::kCode0, kHandler, kInterrupt32));
  bench.enter_user();
  EXPECT_FALSE(external(0x30));
  EXPECT_EQ(cpu.cpl, 0);
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0x7000u - 20);
  EXPECT_EQ(stack32(3), 0x5000u);
  EXPECT_EQ(stack32(4), CpuBench::kData3);
}

TEST_F(Interrupts, FromVirtual8086ModeTheSegmentsArePushed) {
  bench.enter_virtual_8086(0);
  bench.set_idt(0x30, gate(CpuBench::kCode0, kHandler, kInterrupt32));
  EXPECT_FALSE(external(0x30));
  EXPECT_EQ(cpu.mode, x86::Mode::Protected);
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0x7000u - 36);
  EXPECT_EQ(stack32(1), 0x2000u);
  EXPECT_EQ(stack32(2), fl::kVm | fl::kFixed);
  EXPECT_EQ(stack32(5), 0x3000u);
  EXPECT_TRUE(cpu.seg[x86::Ds].unusable);
}

TEST_F(Interrupts, MissingGateTellsOfTheVector) {
  expect(external(0x30), Vector::Gp, 0x30 * 8 + 3);
}

TEST_F(Interrupts, BeyondTheIdt) {
  cpu.idtr.limit = 0x17f;
  expect(external(0x30), Vector::Gp, 0x30 * 8 + 3);
}

TEST_F(Interrupts, GateNotPresent) {
  bench.set_idt(0x30, gate(CpuBench::kCode0, kHandler, 0x0e));
  expect(external(0x30), Vector::Np, 0x30 * 8 + 3);
}

TEST_F(Interrupts, UsersMayNotUseInnerGates) {
  bench.set_idt(0x30, gate(CpuBench::kCode0, kHandler, kTrap32));
  bench.enter_user();
  expect(bench.execute(x86::system::int_n, CpuBench::immediate(0x30)), Vector::Gp, 0x30 * 8 + 2);
}

TEST_F(Interrupts, IntReturnsBehindItself) {
  bench.set_idt(0x80, gate(CpuBench::kCode0, kHandler, kUserTrap32));
  bench.enter_user();
  EXPECT_FALSE(bench.execute(x86::system::int_n, CpuBench::immediate(0x80)));
  EXPECT_EQ(stack32(0), 0x4002u);
  EXPECT_EQ(stack32(1), CpuBench::kCode3);
}

TEST_F(Interrupts, Int1PassesInnerGates) {
  bench.set_idt(1, gate(CpuBench::kCode0, kHandler, kTrap32));
  bench.enter_user();
  EXPECT_FALSE(bench.execute(x86::system::int1, CpuBench::plain()));
  EXPECT_EQ(cpu.rip(), kHandler);
}

TEST_F(Interrupts, Int1TakesAlongBreakpointsAndLosesASingleStep) {
  bench.set_idt(1, gate(CpuBench::kCode0, kHandler, kTrap32));
  cpu.pending_db = x86::dr6::kBs | 2;
  EXPECT_FALSE(bench.execute(x86::system::int1, CpuBench::plain()));
  EXPECT_EQ(cpu.dr6, x86::dr6::kReset | 2);
  EXPECT_EQ(cpu.pending_db, 0u);
}

TEST_F(Interrupts, FaultsReturnToTheInstructionWithRf) {
  bench.set_idt(14, gate(CpuBench::kCode0, kHandler, kInterrupt32));
  cpu.insn_rip = 0x4000;
  cpu.set_rip(0x4003);
  deliver_fault(cpu, {.vector = Vector::Pf, .has_error = true, .error = 2, .cr2 = 0x1234'5000});
  EXPECT_EQ(cpu.cr2, 0x1234'5000u);
  EXPECT_EQ(stack32(0), 2u);
  EXPECT_EQ(stack32(1), 0x4000u);
  EXPECT_EQ(stack32(3), fl::kRf | fl::kFixed);
}

TEST_F(Interrupts, DebugTrapsSetDr6AndClearGd) {
  bench.set_idt(1, gate(CpuBench::kCode0, kHandler, kInterrupt32));
  cpu.dr7 |= 1 << 13;
  cpu.pending_db = x86::dr6::kBs;
  x86::deliver_debug_traps(cpu);
  EXPECT_EQ(cpu.dr6, x86::dr6::kReset | x86::dr6::kBs);
  EXPECT_EQ(cpu.dr7, 0x400u);
  EXPECT_EQ(stack32(2), fl::kFixed);
}

TEST_F(Interrupts, PageFaultThenGeneralProtectionIsADoubleFault) {
  bench.set_idt(8, gate(CpuBench::kCode0, kHandler, kInterrupt32));
  cpu.insn_rip = 0x4000;
  deliver_fault(cpu, {.vector = Vector::Pf, .has_error = true});
  EXPECT_EQ(cpu.rip(), kHandler);
  EXPECT_EQ(stack32(0), 0u);
  EXPECT_EQ(stack32(1), 0x4000u);
}

TEST_F(Interrupts, UndefinedOpcodeThenGeneralProtectionGoOneAfterTheOther) {
  bench.set_idt(13, gate(CpuBench::kCode0, kHandler, kInterrupt32));
  deliver_fault(cpu, {.vector = Vector::Ud});
  EXPECT_EQ(cpu.rip(), kHandler);
  EXPECT_EQ(stack32(0), 6u * 8 + 3);
}

TEST_F(Interrupts, NoHandlersAtAllShutDown) {
  deliver_fault(cpu, {.vector = Vector::Gp, .has_error = true});
  EXPECT_EQ(cpu.activity, Activity::Shutdown);
}

TEST_F(Interrupts, NmiBlocksFurtherOnes) {
  bench.set_idt(2, gate(CpuBench::kCode0, kHandler, kInterrupt32));
  cpu.activity = Activity::Halted;
  deliver(cpu, {.vector = 2, .kind = EventKind::Nmi});
  EXPECT_TRUE(cpu.nmi_blocked);
  EXPECT_EQ(cpu.activity, Activity::Running);
}

TEST_F(Interrupts, LongModeAlignsTheStackAndPushesSs) {
  bench.enter_long();
  bench.set_idt(0x30, gate(CpuBench::kLong0, kHandler, kInterrupt32));
  cpu.gpr[x86::Rsp] = 0x6008;
  EXPECT_FALSE(external(0x30));
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0x6000u - 40);
  EXPECT_EQ(stack64(0), 0x4000u);
  EXPECT_EQ(stack64(3), 0x6008u);
  EXPECT_EQ(stack64(4), CpuBench::kData0);
  EXPECT_EQ(cpu.seg[x86::Ss].selector, CpuBench::kData0);
}

TEST_F(Interrupts, LongModeInnerLevelMakesSsNull) {
  bench.enter_long();
  bench.set_idt(0x30, gate(CpuBench::kLong0, kHandler, kInterrupt32));
  bench.enter_user();
  EXPECT_FALSE(external(0x30));
  EXPECT_EQ(cpu.seg[x86::Ss].selector, 0);
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0x7000u - 40);
}

TEST_F(Interrupts, InterruptStackTable) {
  bench.enter_long();
  bench.poke<u64>(CpuBench::kTss + 0x24 + 8, 0xa000);
  bench.set_idt(0x30, gate(CpuBench::kLong0, kHandler, kInterrupt32, 2));
  EXPECT_FALSE(external(0x30));
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0xa000u - 40);
}

TEST_F(Interrupts, LongModeHandlersMustBe64BitCode) {
  bench.enter_long();
  bench.set_idt(0x30, gate(CpuBench::kCode0, kHandler, kInterrupt32));
  expect(external(0x30), Vector::Gp, CpuBench::kCode0 | 1);
}

class VirtualInterrupts : public Interrupts {
 protected:
  /// VME on; the redirection map sends INT 21h to the program and INT 22h to the monitor.
  void enter(unsigned iopl) {
    bench.enter_virtual_8086(iopl);
    cpu.cr4 |= x86::cr4::kVme;
    bench.poke<u16>(CpuBench::kTss + 0x66, 0x88);
    bench.poke<u8>(CpuBench::kTss + 0x68 + 4, 0x04);
    bench.poke<u32>(0x21 * 4, 0x1000'0200);
  }
  std::optional<Fault> interrupt(u8 vector) {
    return bench.execute(x86::system::int_n, CpuBench::immediate(vector, 2));
  }
};

TEST_F(VirtualInterrupts, RedirectedOnesStayInTheProgram) {
  enter(0);
  cpu.set_rflags(cpu.rflags() | fl::kVif);
  EXPECT_FALSE(interrupt(0x21));
  EXPECT_EQ(cpu.mode, x86::Mode::Virtual8086);
  EXPECT_EQ(cpu.seg[x86::Cs].selector, 0x1000);
  EXPECT_EQ(cpu.rip(), 0x200u);
  EXPECT_EQ(bench.peek<u16>(0x3'0ffe), fl::kIopl | fl::kIf | fl::kFixed);
  EXPECT_FALSE(cpu.eflag(fl::kVif));
}

TEST_F(VirtualInterrupts, OthersNeedIopl3) {
  enter(0);
  expect(interrupt(0x22), Vector::Gp, 0);
}

TEST_F(VirtualInterrupts, WithIopl3OthersGoThroughTheIdt) {
  enter(3);
  bench.set_idt(0x22, gate(CpuBench::kCode0, kHandler, kUserTrap32));
  EXPECT_FALSE(interrupt(0x22));
  EXPECT_EQ(cpu.mode, x86::Mode::Protected);
}

TEST_F(VirtualInterrupts, CliAndStiActOnVif) {
  enter(0);
  EXPECT_FALSE(bench.execute(x86::system::sti, CpuBench::plain(2)));
  EXPECT_TRUE(cpu.eflag(fl::kVif));
  EXPECT_FALSE(cpu.eflag(fl::kIf));
  EXPECT_FALSE(bench.execute(x86::system::cli, CpuBench::plain(2)));
  EXPECT_FALSE(cpu.eflag(fl::kVif));
}

TEST_F(VirtualInterrupts, StiWithAPendingInterruptFaults) {
  enter(0);
  cpu.set_rflags(cpu.rflags() | fl::kVip);
  expect(bench.execute(x86::system::sti, CpuBench::plain(2)), Vector::Gp, 0);
}

TEST_F(VirtualInterrupts, PushfShowsVifAsIf) {
  enter(0);
  cpu.set_rflags(cpu.rflags() | fl::kVif);
  EXPECT_FALSE(bench.execute(x86::system::pushf, CpuBench::plain(2)));
  EXPECT_EQ(bench.peek<u16>(0x3'0ffe), fl::kIopl | fl::kIf | fl::kFixed);
}

TEST_F(VirtualInterrupts, PushfWith32BitsFaults) {
  enter(0);
  expect(bench.execute(x86::system::pushf, CpuBench::plain(4)), Vector::Gp, 0);
}

TEST_F(VirtualInterrupts, PopfSetsVifFromIf) {
  enter(0);
  bench.poke<u16>(0x3'1000, fl::kIf | fl::kCf);
  EXPECT_FALSE(bench.execute(x86::system::popf, CpuBench::plain(2)));
  EXPECT_EQ(cpu.rflags(), fl::kVm | fl::kVif | fl::kCf | fl::kFixed);
}

TEST_F(VirtualInterrupts, PopfOfTfFaultsAndKeepsTheStack) {
  enter(0);
  bench.poke<u16>(0x3'1000, fl::kTf);
  expect(bench.execute(x86::system::popf, CpuBench::plain(2)), Vector::Gp, 0);
  EXPECT_EQ(cpu.gpr[x86::Rsp], 0x1000u);
}

// The processor would stay there for ever (CVE-2015-5307); its owner must be able to stop it.
TEST_F(Interrupts, AlignmentCheckOnTheWayToItsOwnHandlerCanBeInterrupted) {
  bench.enter_user();
  bench.set_idt(17, gate(CpuBench::kCode3, kHandler, kInterrupt32));
  cpu.cr0 |= x86::cr0::kAm;
  cpu.set_rflags(fl::kAc);
  cpu.gpr[x86::Rsp] = 0x5001;
  cpu.insn_rip = cpu.rip();
  deliver_fault(cpu, {.vector = Vector::Ac, .has_error = true});
  EXPECT_TRUE(cpu.wants(x86::Attention::Injected));
  EXPECT_TRUE(cpu.injected.exception_injected);
  EXPECT_EQ(cpu.injected.exception_vector, 17);
  EXPECT_EQ(cpu.rip(), cpu.insn_rip);
  cpu.gpr[x86::Rsp] = 0x5000;
  x86::deliver_injected(cpu);
  EXPECT_FALSE(cpu.injected.exception_injected);
  EXPECT_EQ(cpu.rip(), kHandler);
}

}  // namespace
}  // namespace rhea::test
