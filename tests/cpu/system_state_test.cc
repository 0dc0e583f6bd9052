// SPDX-License-Identifier: GPL-2.0-or-later
// Reset, saved state, CPUID and system management mode.
#include "target/x86/system/events.h"
#include "target/x86/system/functions.h"
#include "target/x86/system/msr.h"
#include "target/x86/system/smm.h"
#include "tests/support/cpu_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

namespace c4 = x86::cr4;
namespace fl = x86::eflags;
constexpr u64 kSmram = 0x3'8000;

TEST(Reset, PowerUp) {
  CpuBench bench;
  EXPECT_EQ(bench.cpu.rip(), 0xfff0u);
  EXPECT_EQ(bench.cpu.seg[x86::Cs].base, 0xffff'0000u);
  EXPECT_EQ(bench.cpu.seg[x86::Cs].selector, 0xf000);
  EXPECT_EQ(bench.cpu.cr0, 0x6000'0010u);
  EXPECT_EQ(bench.cpu.rflags(), 2u);
  EXPECT_EQ(bench.cpu.gpr[x86::Rdx], 0x0006'0fb1u);
  EXPECT_EQ(bench.cpu.mode, x86::Mode::Real);
  EXPECT_EQ(bench.cpu.code_bits, 16);
}

TEST(Reset, InitKeepsWhatPowerUpSets) {
  CpuBench bench;
  bench.enter_long();
  bench.cpu.xcr0 = 7;
  bench.cpu.lstar = 0x1234;
  bench.cpu.x87.fcw = 0x37f;
  bench.cpu.smbase = 0xa0000;
  bench.cpu.cr0 &= ~x86::cr0::kNw;
  bench.cpu.reset(true);
  EXPECT_EQ(bench.cpu.xcr0, 7u);
  EXPECT_EQ(bench.cpu.lstar, 0x1234u);
  EXPECT_EQ(bench.cpu.x87.fcw, 0x37f);
  EXPECT_EQ(bench.cpu.smbase, 0xa0000u);
  EXPECT_EQ(bench.cpu.cr0, x86::cr0::kCd | x86::cr0::kEt);
  EXPECT_EQ(bench.cpu.efer, 0u);
}

TEST(Reset, OthersWaitForStartUp) {
  CpuBench bench;
  bench.bus_msrs[0x1b] = 0xfee0'0800;
  bench.cpu.reset(false);
  EXPECT_EQ(bench.cpu.activity, x86::Activity::WaitForSipi);
  bench.cpu.start_up(0x9a);
  EXPECT_EQ(bench.cpu.activity, x86::Activity::Running);
  EXPECT_EQ(bench.cpu.seg[x86::Cs].base, 0x9'a000u);
  EXPECT_EQ(bench.cpu.rip(), 0u);
}

TEST(Exchange, StateComesBack) {
  CpuBench one;
  one.enter_long();
  one.enter_user();
  one.cpu.gpr[x86::R15] = 0x1234'5678'9abc'def0;
  one.cpu.set_rflags(fl::kIf | fl::kCf);
  one.cpu.lstar = 0x7777;
  one.cpu.nmi_blocked = true;
  one.cpu.shadow = true;
  one.cpu.x87.set_top(3);
  one.cpu.x87.reg[3] = {.significand = 5, .sign_exponent = 6};
  one.cpu.ymm[4].q = {1, 2, 3, 4};
  x86::write_msr(one.cpu, x86::msr::kPat, 0x0606'0606'0606'0606);
  x86::CpuState state;
  one.cpu.save(state);

  CpuBench two;
  two.cpu.load(state);
  EXPECT_EQ(two.cpu.mode, x86::Mode::Long);
  EXPECT_EQ(two.cpu.cpl, 3);
  EXPECT_EQ(two.cpu.gpr[x86::R15], 0x1234'5678'9abc'def0u);
  EXPECT_EQ(two.cpu.rflags(), fl::kIf | fl::kCf | fl::kFixed);
  EXPECT_EQ(two.cpu.lstar, 0x7777u);
  EXPECT_TRUE(two.cpu.nmi_blocked);
  EXPECT_TRUE(two.cpu.shadow);
  EXPECT_EQ(two.cpu.x87.reg, one.cpu.x87.reg);
  EXPECT_EQ(two.cpu.x87.fsw, one.cpu.x87.fsw);
  EXPECT_EQ(two.cpu.ymm[4].q, one.cpu.ymm[4].q);
  EXPECT_EQ(two.cpu.msrs, one.cpu.msrs);
}

TEST(Exchange, SavingTwiceGivesTheSame) {
  CpuBench one;
  one.enter_virtual_8086(3);
  x86::CpuState first;
  one.cpu.save(first);
  CpuBench two;
  two.cpu.load(first);
  x86::CpuState second;
  two.cpu.save(second);
  EXPECT_EQ(second.xsave, first.xsave);
  EXPECT_EQ(second.rflags, first.rflags);
  EXPECT_EQ(second.segment[x86::Ss].dpl, 3);
  EXPECT_EQ(second.msrs.size(), first.msrs.size());
}

TEST(Exchange, InjectedExceptionsAreDelivered) {
  CpuBench bench;
  bench.enter_protected();
  bench.set_idt(14, gate(CpuBench::kCode0, 0x9000, 0x8e));
  x86::CpuState state;
  bench.cpu.save(state);
  state.cr2 = 0x1000;
  state.events.exception_injected = state.events.exception_has_error_code = true;
  state.events.exception_vector = 14;
  state.events.exception_error_code = 7;
  bench.cpu.load(state);
  x86::deliver_injected(bench.cpu);
  EXPECT_EQ(bench.cpu.rip(), 0x9000u);
  EXPECT_EQ(bench.cpu.cr2, 0x1000u);
  EXPECT_EQ(bench.peek<u32>(bench.cpu.gpr[x86::Rsp]), 7u);
}

TEST(Cpuid, VendorAndHighestLeaf) {
  CpuBench bench("GenuineIntel");
  const auto r = x86::cpuid(bench.model, 0, 0, {});
  EXPECT_EQ(r.eax, 0xdu);
  EXPECT_EQ(r.ebx, 0x756e'6547u);
  EXPECT_EQ(r.edx, 0x4965'6e69u);
  EXPECT_EQ(r.ecx, 0x6c65'746eu);
}

TEST(Cpuid, FeaturesFollowTheSet) {
  CpuBench bench;
  bench.model.set(x86::Feature::Sse3, false);
  const auto r = x86::cpuid(bench.model, 1, 0, {.cr4 = c4::kOsxsave});
  EXPECT_EQ(r.ecx & 1, 0u);
  EXPECT_NE(r.ecx & 1u << 27, 0u);
  EXPECT_NE(r.edx & 1u << 9, 0u);
  EXPECT_EQ(x86::cpuid(bench.model, 1, 0, {.apic_enabled = false}).edx & 1u << 9, 0u);
}

TEST(Cpuid, XsaveAreaFollowsXcr0) {
  CpuBench bench;
  EXPECT_EQ(x86::cpuid(bench.model, 0xd, 0, {.xcr0 = 1}).ebx, 576u);
  EXPECT_EQ(x86::cpuid(bench.model, 0xd, 0, {.xcr0 = 7}).ebx, 832u);
  EXPECT_EQ(x86::cpuid(bench.model, 0xd, 2, {}).ebx, 576u);
}

TEST(Cpuid, Topology) {
  CpuBench bench("GenuineIntel");
  bench.model.topology = {.cores = 4, .threads = 2};
  bench.model.apic_id = 5;
  EXPECT_EQ(x86::cpuid(bench.model, 1, 0, {}).ebx, 5u << 24 | 8u << 16 | 8u << 8);
  EXPECT_EQ(x86::cpuid(bench.model, 0xb, 1, {}).eax, 3u);
  EXPECT_EQ(x86::cpuid(bench.model, 0xb, 1, {}).ebx, 8u);
}

TEST(Cpuid, DiesAreALevelOfTheirOwn) {
  CpuBench intel("GenuineIntel"), amd;
  for (CpuBench* bench : {&intel, &amd}) {
    bench->model.topology = {.cores = 2, .threads = 2, .dies = 2};
    bench->model.apic_id = 0b1101;
    bench->model.xlevel = 0x8000'001e;
  }
  EXPECT_EQ(x86::cpuid(intel.model, 0, 0, {}).eax, 0x1fU);
  EXPECT_EQ(x86::cpuid(intel.model, 1, 0, {}).ebx >> 16 & 0xff, 8U);
  const auto level = [&](u32 number) {
    const auto r = x86::cpuid(intel.model, 0x1f, number, {});
    return fmt::format("{} {} {:#x}", r.eax, r.ebx, r.ecx);
  };
  EXPECT_EQ(level(0), "1 2 0x100");
  EXPECT_EQ(level(1), "2 4 0x201");
  EXPECT_EQ(level(2), "3 8 0x502");
  EXPECT_EQ(level(3), "0 0 0x3");
  EXPECT_EQ(x86::cpuid(intel.model, 0xb, 1, {}).eax, 3U);
  EXPECT_EQ(x86::cpuid(intel.model, 4, 3, {}).eax >> 14 & 0xfff, 3U) << "a die shares the cache";
  EXPECT_EQ(x86::cpuid(amd.model, 0x8000'001e, 0, {}).ebx, 1U << 8);
  EXPECT_EQ(x86::cpuid(amd.model, 0x8000'001e, 0, {}).ecx, 1U << 8 | 3U);
}

TEST(Random, NumbersOfASeedAreTheSameInEveryRun) {
  const auto drawn = [](u64 seed, u32 apic_id) {
    CpuBench bench;
    bench.model.random_seed = seed;
    bench.model.apic_id = apic_id;
    std::vector<u64> numbers;
    for (unsigned i = 0; i < 3; ++i) {
      x86::Insn insn = CpuBench::plain();
      insn.op[0].reg = x86::Rbx;
      insn.operand_size = 8;
      x86::system::rdrand(bench.cpu, insn);
      EXPECT_NE(bench.cpu.rflags() & fl::kCf, 0U);
      numbers.push_back(bench.cpu.gpr[x86::Rbx]);
    }
    return numbers;
  };
  EXPECT_EQ(drawn(5, 0), drawn(5, 0));
  EXPECT_NE(drawn(5, 0), drawn(6, 0));
  EXPECT_NE(drawn(5, 0), drawn(5, 1));
  EXPECT_NE(drawn(5, 0)[0], drawn(5, 0)[1]);
}

TEST(Cpuid, BeyondTheLastLeaf) {
  CpuBench amd;
  EXPECT_EQ(x86::cpuid(amd.model, 0x1234, 0, {}).eax, 0u);
  CpuBench intel("GenuineIntel");
  EXPECT_EQ(x86::cpuid(intel.model, 0x1234, 0, {}).eax, 0x207u);
}

TEST(Smm, EntryAndReturnKeepTheState) {
  CpuBench bench;
  bench.enter_long();
  bench.enter_user();
  bench.cpu.gpr[x86::R9] = 0x1234'5678'9abc'def0;
  bench.cpu.set_rflags(fl::kIf | fl::kZf);
  bench.cpu.cr4 |= c4::kOsfxsr;
  enter_smm(bench.cpu);
  EXPECT_TRUE(bench.cpu.smm);
  EXPECT_EQ(bench.cpu.mode, x86::Mode::Real);
  EXPECT_EQ(bench.cpu.rip(), 0x8000u);
  EXPECT_EQ(bench.cpu.seg[x86::Cs].base, 0x3'0000u);
  EXPECT_TRUE(bench.cpu.nmi_blocked);
  EXPECT_EQ(bench.peek<u32>(kSmram + 0x7efc), 0x2'0064u);
  EXPECT_EQ(bench.peek<u64>(kSmram + 0x7f78), 0x4000u);

  bench.poke<u32>(kSmram + 0x7f00, 0xa'0000);
  EXPECT_FALSE(bench.execute(x86::system::rsm, CpuBench::plain()));
  EXPECT_FALSE(bench.cpu.smm);
  EXPECT_FALSE(bench.cpu.nmi_blocked);
  EXPECT_EQ(bench.cpu.smbase, 0xa'0000u);
  EXPECT_EQ(bench.cpu.mode, x86::Mode::Long);
  EXPECT_EQ(bench.cpu.cpl, 3);
  EXPECT_EQ(bench.cpu.rip(), 0x4000u);
  EXPECT_EQ(bench.cpu.gpr[x86::R9], 0x1234'5678'9abc'def0u);
  EXPECT_EQ(bench.cpu.rflags(), fl::kIf | fl::kZf | fl::kFixed);
  EXPECT_EQ(bench.cpu.cr4, c4::kPae | c4::kOsfxsr);
  EXPECT_EQ(bench.cpu.tr.base, CpuBench::kTss);
}

TEST(Smm, The32BitLayoutServesProcessorsWithoutLongMode) {
  CpuBench bench;
  bench.model.set(x86::Feature::Lm, false);
  bench.enter_protected();
  bench.cpu.gpr[x86::Rdi] = 0x1234'5678;
  enter_smm(bench.cpu);
  bench.poke<u32>(kSmram + 0x7ef8, 0xa'0000);
  EXPECT_EQ(bench.peek<u32>(kSmram + 0x7efc), 0x2'0000u);
  EXPECT_EQ(bench.peek<u32>(kSmram + 0x7fec), 0x1234'5678u);
  EXPECT_FALSE(bench.execute(x86::system::rsm, CpuBench::plain()));
  EXPECT_EQ(bench.cpu.smbase, 0xa'0000u);
  EXPECT_EQ(bench.cpu.rip(), 0x4000u);
  EXPECT_EQ(bench.cpu.seg[x86::Ds].selector, CpuBench::kData0);
  EXPECT_EQ(bench.cpu.seg[x86::Ds].limit, 0xffff'ffffu);
  EXPECT_EQ(bench.cpu.gdtr.base, CpuBench::kGdt);
}

TEST(Smm, AHaltedProcessorHaltsAgain) {
  CpuBench bench;
  bench.enter_protected();
  bench.cpu.activity = x86::Activity::Halted;
  enter_smm(bench.cpu);
  EXPECT_EQ(bench.cpu.activity, x86::Activity::Running);
  bench.execute(x86::system::rsm, CpuBench::plain());
  EXPECT_EQ(bench.cpu.activity, x86::Activity::Halted);
}

TEST(Smm, BadStateShutsDown) {
  CpuBench bench;
  bench.enter_protected();
  enter_smm(bench.cpu);
  bench.poke<u64>(kSmram + 0x7f58, x86::cr0::kPg);
  EXPECT_FALSE(bench.execute(x86::system::rsm, CpuBench::plain()));
  EXPECT_EQ(bench.cpu.activity, x86::Activity::Shutdown);
}

TEST(Smm, RsmOutsideDoesNotExist) {
  CpuBench bench;
  const auto fault = bench.execute(x86::system::rsm, CpuBench::plain());
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->vector, x86::Vector::Ud);
}

}  // namespace
}  // namespace rhea::test
