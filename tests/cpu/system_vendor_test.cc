// SPDX-License-Identifier: GPL-2.0-or-later
// Segment registers and far pointers where AMD's processors and Intel's differ.
#include "target/x86/system/functions.h"
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
  CpuBench amd{"AuthenticAMD"}, intel{"GenuineIntel"};
};

TEST_F(Vendors, PushOfASegmentFillsTheSlotOnAmdOnly) {
  amd.poke<u32>(0x5ffc, 0xaaaa'aaaa);
  intel.poke<u32>(0x5ffc, 0xaaaa'aaaa);
  EXPECT_FALSE(amd.execute(x86::system::push_segment, stack(x86::Ds)));
  EXPECT_FALSE(intel.execute(x86::system::push_segment, stack(x86::Ds)));
  EXPECT_EQ(amd.peek<u32>(0x5ffc), 0x10U);
  EXPECT_EQ(intel.peek<u32>(0x5ffc), 0xaaaa'0010U);
}

TEST_F(Vendors, PopOfASegmentReadsTheSlotOnAmdOnly) {
  amd.cpu.seg[x86::Ss].limit = intel.cpu.seg[x86::Ss].limit = 0x6001;
  const auto fault = amd.execute(x86::system::pop_segment, stack(x86::Es));
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->vector, Vector::Ss);
  EXPECT_FALSE(intel.execute(x86::system::pop_segment, stack(x86::Es)));
}

TEST_F(Vendors, WideFarPointersHaveAWideOffsetOnIntelOnly) {
  amd.enter_long();
  intel.enter_long();
  const u64 pointer = u64{CpuBench::kLong0} << 32 | 0x5000;  // m16:32
  amd.poke<u64>(0x6800, pointer);
  intel.poke<u64>(0x6800, 0x5000);
  intel.poke<u16>(0x6808, CpuBench::kLong0);
  EXPECT_FALSE(amd.execute(x86::system::jmpf, CpuBench::memory(0x6800, 0, 8)));
  EXPECT_FALSE(intel.execute(x86::system::jmpf, CpuBench::memory(0x6800, 0, 8)));
  EXPECT_EQ(amd.cpu.rip(), 0x5000U);
  EXPECT_EQ(intel.cpu.rip(), 0x5000U);
}

}  // namespace
}  // namespace rhea::test
