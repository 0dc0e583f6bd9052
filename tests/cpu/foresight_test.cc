// SPDX-License-Identifier: GPL-2.0-or-later
// Faults of accesses that are known before anything is executed.
#include "target/x86/translate/foresight.h"

#include "tests/support/cpu_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using x86::Fault;
using x86::Vector;
using x86::translating::Access;
using x86::translating::foreseen_fault;
using x86::translating::Reach;
using x86::translating::Record;

constexpr u64 kMissing = 0x8000'0000;  // not mapped by enter_long()
constexpr Access kRead{.size = 4, .write = false, .aligned = false};
constexpr Access kWrite{.size = 4, .write = true, .aligned = false};

class Foresight : public ::testing::Test {
 protected:
  Foresight() { bench.enter_long(); }
  std::optional<Fault> foreseen(Reach reach, Access access) {
    return foreseen_fault(cpu, insn, Record(0, 0, false).reaching(reach, access));
  }
  /// An operand at this address.
  void point_at(u64 address) {
    insn = CpuBench::memory(0);
    insn.address_size = 8;
    insn.base = x86::Rbx;
    cpu.gpr[x86::Rbx] = address;
  }

  CpuBench bench;
  x86::Cpu& cpu = bench.cpu;
  x86::Insn insn;
};

TEST_F(Foresight, AMissingPageIsWhatReadingItWouldThrow) {
  point_at(kMissing + 8);
  const auto fault = foreseen(Reach::Operand, kRead);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->vector, Vector::Pf);
  EXPECT_EQ(fault->cr2, kMissing + 8);
  EXPECT_EQ(fault->error, 0u);
}

TEST_F(Foresight, AWriteSaysSoInTheErrorCode) {
  point_at(kMissing);
  const auto fault = foreseen(Reach::Operand, kWrite);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->error, 2u);
}

TEST_F(Foresight, AnAccessOverThePagesEndMeetsTheSecondPage) {
  point_at(kMissing - 2);
  bench.poke<u64>(CpuBench::kTables + 0x1008, bench.peek<u64>(CpuBench::kTables + 0x1000));
  const auto fault = foreseen(Reach::Operand, kRead);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->cr2, kMissing);
}

TEST_F(Foresight, AnAddressThatIsNotCanonicalIsAGeneralProtectionFault) {
  point_at(u64{1} << 63);
  const auto fault = foreseen(Reach::Operand, kRead);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->vector, Vector::Gp);
}

TEST_F(Foresight, APageThatIsThereComesIntoTheTlb) {
  point_at(0x6000);
  EXPECT_FALSE(foreseen(Reach::Operand, kRead));
  EXPECT_NE(cpu.view.find_read(0x6000, 4), nullptr);
}

TEST_F(Foresight, PushesReachBelowTheStackPointer) {
  cpu.gpr[x86::Rsp] = kMissing + 8;
  const auto fault = foreseen(Reach::Push, {.size = 8, .write = true, .aligned = false});
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->cr2, kMissing);
}

TEST_F(Foresight, WhatIsMisalignedIsExecuted) {
  point_at(kMissing + 1);
  EXPECT_FALSE(foreseen(Reach::Operand, {.size = 4, .write = true, .aligned = true}));
}

TEST_F(Foresight, WhatItsSegmentMisalignsIsExecuted) {
  point_at(kMissing);
  insn.seg = x86::Fs;
  cpu.seg[x86::Fs].base = 1;
  EXPECT_FALSE(foreseen(Reach::Operand, {.size = 4, .write = true, .aligned = true}));
}

TEST(ForesightInProtectedMode, ALimitOfASegmentIsLeftToTheInstruction) {
  CpuBench bench;
  bench.enter_protected();
  bench.cpu.seg[x86::Ss].limit = 0xfff;
  bench.cpu.seg[x86::Ss].refresh();
  bench.cpu.gpr[x86::Rsp] = 0x1000;
  EXPECT_FALSE(
      foreseen_fault(bench.cpu, x86::Insn{}, Record(0, 0, false).reaching(Reach::Pop, kRead)));
}

TEST_F(Foresight, AnUnknownAccessIsExecuted) {
  point_at(kMissing);
  EXPECT_FALSE(foreseen(Reach::Unknown, kRead));
}

}  // namespace
}  // namespace rhea::test
