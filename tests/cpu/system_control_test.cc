// SPDX-License-Identifier: GPL-2.0-or-later
// Control, debug and model-specific registers, flags, ports: reserved bits, mode changes,
// permissions.
#include "target/x86/system/control.h"
#include "target/x86/system/debug.h"
#include "target/x86/system/functions.h"
#include "target/x86/system/io.h"
#include "target/x86/system/msr.h"
#include "tests/support/cpu_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using x86::Fault;
using x86::Vector;
using namespace x86::system;  // NOLINT(google-build-using-namespace): the functions under test
namespace c0 = x86::cr0;
namespace c4 = x86::cr4;
namespace fl = x86::eflags;

class Control : public ::testing::Test {
 protected:
  Control() { bench.enter_protected(); }
  static void expect(const std::optional<Fault>& fault, Vector vector, u32 error = 0) {
    ASSERT_TRUE(fault.has_value());
    EXPECT_EQ(fault->vector, vector);
    EXPECT_EQ(fault->error, error);
  }
  std::optional<Fault> cr0(u64 value) {
    return CpuBench::fault_of([&] { write_cr0(cpu, value); });
  }
  std::optional<Fault> cr3(u64 value) {
    return CpuBench::fault_of([&] { write_cr3(cpu, value); });
  }
  std::optional<Fault> cr4(u64 value) {
    return CpuBench::fault_of([&] { write_cr4(cpu, value); });
  }
  std::optional<Fault> move(x86::Execute f, x86::Operand to, x86::Operand from) {
    return bench.execute(f, CpuBench::two(to, from));
  }
  std::optional<Fault> in8(u16 port) {
    cpu.gpr[x86::Rdx] = port;
    return bench.execute(x86::system::in,
                         CpuBench::two(CpuBench::gpr(x86::Rax, 1), CpuBench::gpr(x86::Rdx, 2)));
  }

  CpuBench bench;
  x86::Cpu& cpu = bench.cpu;
};

TEST_F(Control, PagingNeedsProtection) { expect(cr0(c0::kPg), Vector::Gp); }

TEST_F(Control, NotWriteThroughNeedsCacheDisable) { expect(cr0(c0::kPe | c0::kNw), Vector::Gp); }

TEST_F(Control, ExtensionTypeIsAlwaysSet) {
  EXPECT_FALSE(cr0(c0::kPe));
  EXPECT_EQ(cpu.cr0, c0::kPe | c0::kEt);
}

TEST_F(Control, LongModeNeedsPae) {
  cpu.efer = x86::efer::kLme;
  expect(cr0(c0::kPe | c0::kPg), Vector::Gp);
}

TEST_F(Control, LongModeBeginsWithPaging) {
  cpu.efer = x86::efer::kLme;
  cpu.cr4 = c4::kPae;
  EXPECT_FALSE(cr0(c0::kPe | c0::kPg));
  EXPECT_TRUE(cpu.lma());
  EXPECT_EQ(cpu.mode, x86::Mode::Compatibility);
}

TEST_F(Control, LongModeRefuses16BitTasks) {
  cpu.efer = x86::efer::kLme;
  cpu.cr4 = c4::kPae;
  cpu.tr.attributes = 0x83;
  expect(cr0(c0::kPe | c0::kPg), Vector::Gp);
}

TEST_F(Control, PagingCannotEndIn64BitCode) {
  bench.enter_long();
  expect(cr0(c0::kPe), Vector::Gp);
  EXPECT_TRUE(cpu.lma());
}

TEST_F(Control, PagingEndsInCompatibilityMode) {
  bench.enter_long();
  cpu.seg[x86::Cs].attributes = 0xc09b;
  cpu.update_mode();
  EXPECT_FALSE(cr0(c0::kPe));
  EXPECT_FALSE(cpu.lma());
  EXPECT_EQ(cpu.mode, x86::Mode::Protected);
}

TEST_F(Control, Cr4ReservedBits) {
  expect(cr4(u64{1} << 30), Vector::Gp);
  bench.model.set(x86::Feature::Smep, false);
  expect(cr4(c4::kSmep), Vector::Gp);
}

TEST_F(Control, PaeCannotEndInLongMode) {
  bench.enter_long();
  expect(cr4(0), Vector::Gp);
  expect(cr4(c4::kPae | c4::kLa57), Vector::Gp);
}

TEST_F(Control, ProcessContextsNeedLongModeAndAnEmptyOne) {
  expect(cr4(c4::kPcide), Vector::Gp);
  bench.enter_long();
  cpu.cr3 |= 5;
  expect(cr4(c4::kPae | c4::kPcide), Vector::Gp);
  cpu.cr3 &= ~u64{0xfff};
  EXPECT_FALSE(cr4(c4::kPae | c4::kPcide));
}

TEST_F(Control, Cr3ReservedBits) {
  bench.enter_long();
  expect(cr3(u64{1} << 45), Vector::Gp);
  expect(cr3(u64{1} << 63 | CpuBench::kTables), Vector::Gp);
  EXPECT_FALSE(cr4(c4::kPae | c4::kPcide));
  EXPECT_FALSE(cr3(u64{1} << 63 | CpuBench::kTables | 3));
  EXPECT_EQ(cpu.cr3, CpuBench::kTables | 3);
}

TEST_F(Control, MovCrNeedsLevel0AndAnExistingRegister) {
  expect(move(mov_control, CpuBench::gpr(x86::Rax), CpuBench::control(1)), Vector::Ud);
  bench.enter_user();
  expect(move(mov_control, CpuBench::gpr(x86::Rax), CpuBench::control(0)), Vector::Gp);
}

TEST_F(Control, Cr8IsTheTaskPriority) {
  cpu.gpr[x86::Rax] = 9;
  EXPECT_FALSE(move(mov_control, CpuBench::control(8), CpuBench::gpr(x86::Rax)));
  EXPECT_EQ(bench.priority, 9);
  cpu.gpr[x86::Rax] = 16;
  expect(move(mov_control, CpuBench::control(8), CpuBench::gpr(x86::Rax)), Vector::Gp);
}

TEST_F(Control, LmswCannotLeaveProtectedMode) {
  cpu.gpr[x86::Rax] = c0::kMp;
  auto insn = CpuBench::plain();
  insn.op[0] = CpuBench::gpr(x86::Rax, 2);
  EXPECT_FALSE(bench.execute(lmsw, insn));
  EXPECT_EQ(cpu.cr0 & 0xf, c0::kPe | c0::kMp);
}

TEST_F(Control, DebugRegisters4And5AreAliases) {
  cpu.gpr[x86::Rax] = 0x401;
  EXPECT_FALSE(move(mov_debug, CpuBench::debug(5), CpuBench::gpr(x86::Rax)));
  EXPECT_EQ(cpu.dr7, 0x401u);
  cpu.cr4 |= c4::kDe;
  expect(move(mov_debug, CpuBench::debug(5), CpuBench::gpr(x86::Rax)), Vector::Ud);
}

TEST_F(Control, GeneralDetect) {
  cpu.dr7 |= 1 << 13;
  const auto fault = move(mov_debug, CpuBench::gpr(x86::Rax), CpuBench::debug(0));
  expect(fault, Vector::Db);
  EXPECT_EQ(fault->dr6, x86::dr6::kBd);
}

TEST_F(Control, DataBreakpointsMatchByAddressAndKind) {
  cpu.dr[1] = 0x5004;
  cpu.dr7 = 0x400 | 1 << 2 | 0xd << 20;  // L1, four bytes, writes
  EXPECT_EQ(x86::match_data(cpu, 0x5000, 8, true), 2u);
  EXPECT_EQ(x86::match_data(cpu, 0x5000, 8, false), 0u);
  EXPECT_EQ(x86::match_data(cpu, 0x5008, 4, true), 0u);
  EXPECT_TRUE(x86::watches_page(cpu, 0x5fff));
  EXPECT_FALSE(x86::watches_page(cpu, 0x6000));
}

TEST_F(Control, CodeBreakpoints) {
  cpu.dr[0] = 0x4000;
  EXPECT_FALSE(x86::breakpoints_enabled(cpu));
  cpu.dr7 = 0x402;
  EXPECT_TRUE(x86::breakpoints_enabled(cpu));
  EXPECT_EQ(x86::match_code(cpu, 0x4000), 1u);
  EXPECT_EQ(x86::match_code(cpu, 0x4001), 0u);
}

TEST_F(Control, MsrsThatDoNotExist) {
  u64 value = 0;
  EXPECT_FALSE(x86::read_msr(cpu, 0x1234'5678, value));
  cpu.gpr[x86::Rcx] = 0x1234'5678;
  expect(bench.execute(rdmsr, CpuBench::plain()), Vector::Gp);
}

TEST_F(Control, EferReservedBits) {
  EXPECT_FALSE(x86::write_msr(cpu, x86::msr::kEfer, 1 << 1));
  EXPECT_TRUE(x86::write_msr(cpu, x86::msr::kEfer, x86::efer::kNxe));
}

TEST_F(Control, LongModeEnableIsFixedWhilePaging) {
  bench.enter_long();
  EXPECT_FALSE(x86::write_msr(cpu, x86::msr::kEfer, 0));
}

TEST_F(Control, LmaCannotBeWritten) {
  EXPECT_TRUE(x86::write_msr(cpu, x86::msr::kEfer, x86::efer::kLma));
  EXPECT_FALSE(cpu.lma());
}

TEST_F(Control, PatTakesMemoryTypesOnly) {
  EXPECT_TRUE(x86::write_msr(cpu, x86::msr::kPat, 0x0007'0105'0007'0406));
  EXPECT_FALSE(x86::write_msr(cpu, x86::msr::kPat, 2));
}

TEST_F(Control, MachineCheckBanksTakeAllOnesAndClearedStatus) {
  EXPECT_TRUE(x86::write_msr(cpu, 0x400, 0));
  EXPECT_TRUE(x86::write_msr(cpu, 0x400, ~u64{0}));
  EXPECT_FALSE(x86::write_msr(cpu, 0x400, 0xaaaa));
  EXPECT_FALSE(x86::write_msr(cpu, 0x401, 1));
  EXPECT_TRUE(x86::write_msr(cpu, 0x402, ~u64{0}));
}

TEST_F(Control, AmdCountersAreThereAndStayAtZero) {
  u64 value = 1;
  EXPECT_TRUE(x86::write_msr(cpu, 0xc001'0004, 5));
  EXPECT_TRUE(x86::read_msr(cpu, 0xc001'0004, value));
  EXPECT_EQ(value, 0u);
}

TEST_F(Control, ProtectionKeyRightsNeedTheirBitInCr4) {
  cpu.gpr[x86::Rcx] = cpu.gpr[x86::Rdx] = 0;
  cpu.gpr[x86::Rax] = 0x12;
  expect(bench.execute(wrpkru, CpuBench::plain()), Vector::Ud);
  cpu.cr4 |= c4::kPke;
  EXPECT_FALSE(bench.execute(wrpkru, CpuBench::plain()));
  EXPECT_EQ(cpu.pkru, 0x12u);
  cpu.gpr[x86::Rdx] = 1;
  expect(bench.execute(wrpkru, CpuBench::plain()), Vector::Gp);
  EXPECT_FALSE(bench.execute(rdpkru, CpuBench::plain()));
  EXPECT_EQ(cpu.gpr[x86::Rdx], 0u);
  EXPECT_TRUE(x86::write_msr(cpu, x86::msr::kPkrs, 0xffff'ffff));
  EXPECT_FALSE(x86::write_msr(cpu, x86::msr::kPkrs, u64{1} << 32));
}

TEST_F(Control, VariableMtrrsAreChecked) {
  EXPECT_TRUE(x86::write_msr(cpu, 0x200, 0x8000'0006));
  EXPECT_FALSE(x86::write_msr(cpu, 0x200, 0x8000'0002));
  EXPECT_FALSE(x86::write_msr(cpu, 0x201, u64{1} << 45));
}

TEST_F(Control, AddressesInMsrsAreCanonical) {
  EXPECT_FALSE(x86::write_msr(cpu, x86::msr::kLstar, u64{1} << 47));
  EXPECT_TRUE(x86::write_msr(cpu, x86::msr::kLstar, 0xffff'8000'0000'0000));
}

TEST_F(Control, WritingTheTscMovesItsAdjustment) {
  bench.time = 1000;
  EXPECT_TRUE(x86::write_msr(cpu, x86::msr::kTsc, 5000));
  u64 value = 0;
  EXPECT_TRUE(x86::read_msr(cpu, x86::msr::kTscAdjust, value));
  EXPECT_EQ(value, 4000u);
  EXPECT_TRUE(x86::write_msr(cpu, x86::msr::kTscAdjust, 0));
  EXPECT_TRUE(x86::read_msr(cpu, x86::msr::kTsc, value));
  EXPECT_EQ(value, 1000u);
}

TEST_F(Control, TimeStampDisable) {
  cpu.cr4 |= c4::kTsd;
  EXPECT_FALSE(bench.execute(rdtsc, CpuBench::plain()));
  bench.enter_user();
  expect(bench.execute(rdtsc, CpuBench::plain()), Vector::Gp);
}

TEST_F(Control, XsetbvChecksItsBits) {
  cpu.cr4 |= c4::kOsxsave;
  cpu.gpr[x86::Rcx] = cpu.gpr[x86::Rdx] = 0;
  cpu.gpr[x86::Rax] = 7;
  EXPECT_FALSE(bench.execute(xsetbv, CpuBench::plain()));
  cpu.gpr[x86::Rax] = 5;
  expect(bench.execute(xsetbv, CpuBench::plain()), Vector::Gp);
  EXPECT_EQ(cpu.xcr0, 7u);
}

TEST_F(Control, StiHoldsInterruptsOffForOneInstruction) {
  EXPECT_FALSE(bench.execute(sti, CpuBench::plain()));
  EXPECT_TRUE(cpu.shadow_next);
  EXPECT_TRUE(cpu.eflag(fl::kIf));
}

TEST_F(Control, CliOfUsersNeedsIopl) {
  bench.enter_user();
  expect(bench.execute(cli, CpuBench::plain()), Vector::Gp);
  cpu.set_rflags(fl::kIopl | fl::kIf);
  EXPECT_FALSE(bench.execute(cli, CpuBench::plain()));
  EXPECT_FALSE(cpu.eflag(fl::kIf));
}

TEST_F(Control, PviGivesUsersAVirtualFlag) {
  cpu.cr4 |= c4::kPvi;
  bench.enter_user();
  EXPECT_FALSE(bench.execute(sti, CpuBench::plain()));
  EXPECT_TRUE(cpu.eflag(fl::kVif));
  EXPECT_FALSE(cpu.eflag(fl::kIf));
}

TEST_F(Control, PopfOfUsersLeavesPrivilegedFlags) {
  bench.enter_user();
  bench.poke<u32>(0x5000, 0xffff'ffff);
  EXPECT_FALSE(bench.execute(popf, CpuBench::plain()));
  EXPECT_EQ(cpu.rflags(), 0x24'4dd7u | fl::kFixed);
}

TEST_F(Control, PortsOfUsersFollowTheMap) {
  bench.enter_user();
  bench.poke<u16>(CpuBench::kTss + 0x66, 0x68);
  bench.poke<u8>(CpuBench::kTss + 0x68 + 0x60 / 8, 0x02);
  bench.ins[0x60] = 0x5a;
  EXPECT_FALSE(in8(0x60));
  EXPECT_EQ(cpu.reg<u8>(x86::Rax), 0x5a);
  expect(in8(0x61), Vector::Gp);
  expect(CpuBench::fault_of([&] { x86::check_io(cpu, 0x60, 2); }), Vector::Gp);
}

TEST_F(Control, PortsBeyondTheMapAreClosed) {
  bench.enter_user();
  bench.poke<u16>(CpuBench::kTss + 0x66, 0x0ffe);
  expect(in8(0x60), Vector::Gp);
}

TEST_F(Control, OutWritesTheOperandsSize) {
  cpu.gpr[x86::Rax] = 0x1234'5678;
  cpu.gpr[x86::Rdx] = 0x3f8;
  EXPECT_FALSE(
      bench.execute(out, CpuBench::two(CpuBench::gpr(x86::Rdx, 2), CpuBench::gpr(x86::Rax, 2))));
  EXPECT_EQ(bench.outs, (std::vector<PortAccess>{{.port = 0x3f8, .value = 0x5678, .size = 2}}));
}

TEST_F(Control, PortBreakpointsNeedDebuggingExtensions) {
  cpu.dr[2] = 0x60;
  cpu.dr7 = 0x400 | 1 << 4 | 2 << 24;
  EXPECT_FALSE(in8(0x60));
  EXPECT_EQ(cpu.pending_db, 0u);
  cpu.cr4 |= c4::kDe;
  EXPECT_FALSE(in8(0x60));
  EXPECT_EQ(cpu.pending_db, 4u);
}

TEST_F(Control, EveryThirtySecondPauseIsARest) {
  for (unsigned n = 0; n < 64; ++n) bench.execute(x86::system::pause, CpuBench::plain());
  EXPECT_EQ(bench.rests, 2U);
}

TEST_F(Control, HaltWaits) {
  EXPECT_FALSE(bench.execute(hlt, CpuBench::plain()));
  EXPECT_EQ(cpu.activity, x86::Activity::Halted);
  EXPECT_EQ(cpu.rip(), 0x4002u);
}

TEST_F(Control, SwapgsAndFsgsbase) {
  bench.enter_long();
  cpu.kernel_gs_base = 0x1111;
  cpu.seg[x86::Gs].base = 0x2222;
  EXPECT_FALSE(bench.execute(swapgs, CpuBench::plain()));
  EXPECT_EQ(cpu.seg[x86::Gs].base, 0x1111u);
  auto insn = CpuBench::plain(8);
  insn.op[0] = CpuBench::gpr(x86::Rax, 8);
  expect(bench.execute(rdgsbase, insn), Vector::Ud);
  cpu.cr4 |= c4::kFsgsbase;
  EXPECT_FALSE(bench.execute(rdgsbase, insn));
  EXPECT_EQ(cpu.gpr[x86::Rax], 0x1111u);
}

}  // namespace
}  // namespace rhea::test
