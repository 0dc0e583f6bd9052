// SPDX-License-Identifier: GPL-2.0-or-later
// Where AMD's processors and Intel's differ.
#include "target/x86/decode/decode.h"
#include "target/x86/interp/bind.h"
#include "target/x86/system/functions.h"
#include "target/x86/system/segments.h"
#include "tests/support/cpu_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using x86::Vector;

struct Vendors : testing::Test {
  Vendors() {
    amd.enter_protected();
    intel.enter_protected();
  }
  static x86::Insn stack(unsigned segment) {
    auto insn = CpuBench::plain();
    insn.op[0] = CpuBench::segment(segment);
    return insn;
  }
  /// Executes `bytes` as the bench's processor does.
  static std::optional<x86::Fault> run(CpuBench& bench, std::initializer_list<u8> bytes) {
    const std::vector<u8> code(bytes);
    x86::Insn insn;
    const x86::DecodeMode how{.code_bits = bench.cpu.code_bits, .amd = bench.model.is_amd()};
    EXPECT_EQ(x86::decode(code, how, insn), x86::DecodeStatus::Ok);
    x86::interp::bind(insn);
    bench.cpu.attention = 0;  // else a repeated instruction stops for the run loop
    bench.cpu.leave_block = false;
    return bench.execute(insn.exec, insn);
  }
  void enter_long() {
    amd.enter_long();
    intel.enter_long();
  }
  CpuBench amd{"AuthenticAMD"}, intel{"GenuineIntel"};
};

/// Of a segment that ends in the middle of the bench's memory.
constexpr u64 kLimit = 0x6fff;

TEST_F(Vendors, PushOfASegmentFillsTheSlotOnAmdOnly) {
  amd.poke<u32>(0x5ffc, 0xaaaa'aaaa);
  intel.poke<u32>(0x5ffc, 0xaaaa'aaaa);
  EXPECT_FALSE(amd.execute(x86::system::push_segment, stack(x86::Ds)));
  EXPECT_FALSE(intel.execute(x86::system::push_segment, stack(x86::Ds)));
  EXPECT_EQ(amd.peek<u32>(0x5ffc), 0x10U);
  EXPECT_EQ(intel.peek<u32>(0x5ffc), 0xaaaa'0010U);
}

/// What becomes of GS and its base when a return to CPL 3 takes it away.
x86::SegmentRegister taken_away(CpuBench& bench) {
  bench.cpu.seg[x86::Gs] = bench.cpu.seg[x86::Ds];
  bench.cpu.seg[x86::Gs].base = 0x40'0000;
  bench.cpu.cpl = 3;
  x86::system::drop_inner_segments(bench.cpu);
  return bench.cpu.seg[x86::Gs];
}

TEST_F(Vendors, SegmentsTakenAwayByAReturnKeepTheirBasesOnBoth) {
  const x86::SegmentRegister on_amd = taken_away(amd), on_intel = taken_away(intel);
  EXPECT_TRUE(on_amd.unusable);
  EXPECT_EQ(on_amd.base, 0x40'0000u);
  EXPECT_TRUE(on_intel.unusable);
  EXPECT_EQ(on_intel.base, 0x40'0000u);
}

u64 base_of_null(CpuBench& bench) {
  bench.cpu.seg[x86::Gs].base = 0x40'0000;
  x86::system::load_segment(bench.cpu, x86::Gs, 0);
  return bench.cpu.seg[x86::Gs].base;
}

TEST_F(Vendors, ANullSelectorKeepsTheBaseOnOldAmdOnly) {
  CpuBench old_amd{"AuthenticAMD"};
  old_amd.enter_protected();
  old_amd.model.set(x86::Feature::Nullselect, false);
  EXPECT_EQ(base_of_null(old_amd), 0x40'0000u);
  EXPECT_EQ(base_of_null(amd), 0u);
  EXPECT_EQ(base_of_null(intel), 0u);
}

TEST_F(Vendors, PopOfASegmentReadsTheSlotOnAmdOnly) {
  amd.cpu.seg[x86::Ss].limit = intel.cpu.seg[x86::Ss].limit = 0x6001;
  const auto fault = amd.execute(x86::system::pop_segment, stack(x86::Es));
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->vector, Vector::Ss);
  EXPECT_FALSE(intel.execute(x86::system::pop_segment, stack(x86::Es)));
}

TEST_F(Vendors, WideFarPointersHaveAWideOffsetOnIntelOnly) {
  enter_long();
  const u64 pointer = u64{CpuBench::kLong0} << 32 | 0x5000;  // m16:32
  amd.poke<u64>(0x6800, pointer);
  intel.poke<u64>(0x6800, 0x5000);
  intel.poke<u16>(0x6808, CpuBench::kLong0);
  EXPECT_FALSE(amd.execute(x86::system::jmpf, CpuBench::memory(0x6800, 0, 8)));
  EXPECT_FALSE(intel.execute(x86::system::jmpf, CpuBench::memory(0x6800, 0, 8)));
  EXPECT_EQ(amd.cpu.rip(), 0x5000U);
  EXPECT_EQ(intel.cpu.rip(), 0x5000U);
}

TEST_F(Vendors, AWideOffsetOutOf64BitCodeIsCut) {
  intel.enter_long();
  intel.poke<u64>(0x6800, 0xaaaa'aaaa'0000'5000);
  intel.poke<u16>(0x6808, CpuBench::kCode0);
  EXPECT_FALSE(intel.execute(x86::system::jmpf, CpuBench::memory(0x6800, 0, 8)));
  EXPECT_EQ(intel.cpu.rip(), 0x5000U);
  intel.enter_long();
  intel.poke<u16>(0x6808, CpuBench::kLong0);
  EXPECT_TRUE(intel.execute(x86::system::jmpf, CpuBench::memory(0x6800, 0, 8)));
}

TEST_F(Vendors, SysretIsUndefinedOutside64BitModeOnIntelOnly) {
  for (CpuBench* bench : {&amd, &intel}) {
    bench->cpu.efer |= x86::efer::kSce;
    bench->enter_user();
  }
  EXPECT_EQ(run(amd, {0x0f, 0x07})->vector, Vector::Gp);
  EXPECT_EQ(run(intel, {0x0f, 0x07})->vector, Vector::Ud);
}

TEST_F(Vendors, NearBranchesWith66StayWideOnIntelOnly) {
  enter_long();
  amd.cpu.set_rip(0x1'4000);
  intel.cpu.set_rip(0x1'4000);
  EXPECT_FALSE(run(amd, {0x66, 0xe9, 0x10, 0x00}));
  EXPECT_FALSE(run(intel, {0x66, 0xe9, 0x10, 0x00, 0x00, 0x00}));
  EXPECT_EQ(amd.cpu.rip(), 0x4014U);
  EXPECT_EQ(intel.cpu.rip(), 0x1'4016U);
}

TEST_F(Vendors, MovsxdToAWordReadsFourBytesOnAmdOnly) {
  enter_long();
  const u64 last = 0x7fff'fffe;  // the bench has page tables for the first GiB
  for (CpuBench* bench : {&amd, &intel}) {
    bench->poke<u64>(CpuBench::kTables + 0x1000 + 8, (CpuBench::kTables + 0x3000) | 7);
    for (u64 i = 0; i < 512; ++i)
      bench->poke<u64>(CpuBench::kTables + 0x3000 + 8 * i, i == 511 ? 0x87 : 0);
    bench->poke<u16>(0x1f'fffe, 0x8765);
    bench->cpu.gpr[x86::Rbx] = last;
    bench->cpu.gpr[x86::Rcx] = ~u64{0};
  }
  EXPECT_EQ(run(amd, {0x66, 0x63, 0x0b})->vector, Vector::Pf);
  EXPECT_FALSE(run(intel, {0x66, 0x63, 0x0b}));
  EXPECT_EQ(amd.cpu.gpr[x86::Rcx], ~u64{0});
  EXPECT_EQ(intel.cpu.gpr[x86::Rcx], 0xffff'ffff'ffff'8765U);
}

TEST_F(Vendors, BoundBelowTheLowerOneLooksNoFurtherOnIntelOnly) {
  for (CpuBench* bench : {&amd, &intel}) {
    bench->cpu.seg[x86::Ds].limit = kLimit;
    bench->poke<u32>(kLimit - 3, 10);
    bench->cpu.gpr[x86::Rbx] = kLimit - 3;
  }
  amd.cpu.gpr[x86::Rcx] = intel.cpu.gpr[x86::Rcx] = 9;
  EXPECT_EQ(run(amd, {0x62, 0x0b})->vector, Vector::Gp);
  EXPECT_EQ(run(intel, {0x62, 0x0b})->vector, Vector::Br);
  intel.cpu.gpr[x86::Rcx] = 10;
  EXPECT_EQ(run(intel, {0x62, 0x0b})->vector, Vector::Gp);
}

TEST_F(Vendors, AComparisonThatFaultsLeavesTheFlagsAloneOnIntelOnly) {
  for (CpuBench* bench : {&amd, &intel}) {
    bench->cpu.seg[x86::Es].limit = kLimit;
    bench->poke<u16>(kLimit - 1, 0x0102);
    bench->cpu.gpr[x86::Rdi] = kLimit - 1;
    bench->cpu.gpr[x86::Rcx] = 5;
    bench->cpu.gpr[x86::Rax] = 3;
    bench->cpu.set_rflags(x86::eflags::kFixed | x86::eflags::kZf | x86::eflags::kCf);
  }
  EXPECT_EQ(run(amd, {0xf2, 0xae})->vector, Vector::Gp);
  EXPECT_EQ(run(intel, {0xf2, 0xae})->vector, Vector::Gp);
  EXPECT_EQ(amd.cpu.gpr[x86::Rcx], 3U);
  EXPECT_EQ(intel.cpu.gpr[x86::Rcx], 3U);
  EXPECT_EQ(amd.cpu.rflags() & x86::eflags::kStatus, 0U);
  EXPECT_EQ(intel.cpu.rflags() & x86::eflags::kStatus, x86::eflags::kZf | x86::eflags::kCf);
}

TEST_F(Vendors, RepeatedNoTimesWithNarrowAddressesClearsUpperHalvesOnIntelOnly) {
  enter_long();
  constexpr u64 kHigh = 0x1234'5678'0000'0000;
  const auto after = [&](CpuBench& bench, u8 opcode) {
    for (const unsigned reg : {x86::Rcx, x86::Rsi, x86::Rdi}) bench.cpu.gpr[reg] = kHigh;
    EXPECT_FALSE(run(bench, {0x67, 0xf3, opcode}));
    return std::array{bench.cpu.gpr[x86::Rcx], bench.cpu.gpr[x86::Rsi], bench.cpu.gpr[x86::Rdi]};
  };
  for (const u8 opcode : {u8{0xa4}, u8{0xa6}, u8{0xaa}, u8{0xac}, u8{0xae}})
    EXPECT_EQ(after(amd, opcode), (std::array{kHigh, kHigh, kHigh})) << unsigned{opcode};
  EXPECT_EQ(after(intel, 0xa4), (std::array<u64, 3>{0, 0, 0}));
  EXPECT_EQ(after(intel, 0xaa), (std::array<u64, 3>{0, kHigh, 0}));
  for (const u8 opcode : {u8{0xa6}, u8{0xac}, u8{0xae}})
    EXPECT_EQ(after(intel, opcode), (std::array<u64, 3>{0, kHigh, kHigh})) << unsigned{opcode};
}

struct DoubleShift {
  u8 opcode, count;
  u16 amd, intel;
};

TEST_F(Vendors, WordsDoublyShiftedByMoreThanSixteen) {
  for (const DoubleShift& shift :
       {DoubleShift{0xa4, 23, 0xa26f, 0xa260}, DoubleShift{0xac, 19, 0x9be8, 0xbbe8}}) {
    for (CpuBench* bench : {&amd, &intel}) {
      bench->cpu.gpr[x86::Rcx] = 0xc12d;
      bench->cpu.gpr[x86::Rdx] = 0xdf44;
      EXPECT_FALSE(run(*bench, {0x66, 0x0f, shift.opcode, 0xd1, shift.count}));
    }
    EXPECT_EQ(amd.cpu.reg<u16>(x86::Rcx), shift.amd);
    EXPECT_EQ(intel.cpu.reg<u16>(x86::Rcx), shift.intel);
    EXPECT_FALSE(amd.cpu.flags.cf());
    EXPECT_TRUE(intel.cpu.flags.cf());
  }
}

}  // namespace
}  // namespace rhea::test
