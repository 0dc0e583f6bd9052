// SPDX-License-Identifier: GPL-2.0-or-later
// What kernels do at every entry and exit, in translated code: the system's flags, SWAPGS, and the
// instruction behind STI.
#include "target/x86/comparing.h"
#include "tests/jit/row_guest.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using x86::eflags::kCf;
using x86::eflags::kDf;
using x86::eflags::kFixed;
using x86::eflags::kIf;
using x86::eflags::kOf;
using x86::eflags::kStatus;
using x86::eflags::kZf;

class KernelEntry : public testing::Test {
 protected:
  void SetUp() override { x86::comparing::linked = true; }
  void TearDown() override { x86::comparing::linked = false; }
  RowState run(std::span<const u8> code, u64 flags) {
    RowState state;
    state.flags = flags;
    state.gpr[x86::Rsp] = RowGuest::kStack + 0x800;
    guest_.load(code);
    guest_.run(state);
    return guest_.run(state);
  }
  RowGuest guest_{true, RowMode::Long};
};

constexpr std::array<u8, 2> kPushfPopRax{0x9c, 0x58};

TEST_F(KernelEntry, AllFlagsArePushed) {
  EXPECT_EQ(run(kPushfPopRax, kStatus | kDf | kFixed).gpr[x86::Rax], kStatus | kDf | kFixed);
}

TEST_F(KernelEntry, NoFlagsArePushed) {
  EXPECT_EQ(run(kPushfPopRax, kFixed).gpr[x86::Rax], kFixed);
}

TEST_F(KernelEntry, FlagsOfTheInstructionBeforeArePushed) {
  constexpr std::array<u8, 4> kCode{0x31, 0xc0, 0x9c, 0x58};  // xor eax, eax; pushf; pop rax
  EXPECT_EQ(run(kCode, kCf | kOf | kFixed).gpr[x86::Rax], kZf | x86::eflags::kPf | kFixed);
}

TEST_F(KernelEntry, CliLeavesTheStatusFlags) {
  constexpr std::array<u8, 3> kCode{0xfa, 0x9c, 0x58};  // cli; pushf; pop rax
  EXPECT_EQ(run(kCode, kStatus | kIf | kFixed).gpr[x86::Rax], kStatus | kFixed);
}

TEST_F(KernelEntry, CldLeavesTheOtherFlags) {
  constexpr std::array<u8, 3> kCode{0xfc, 0x9c, 0x58};  // cld; pushf; pop rax
  EXPECT_EQ(run(kCode, kStatus | kDf | kFixed).gpr[x86::Rax], kStatus | kFixed);
}

TEST_F(KernelEntry, StiAndTheInstructionBehindIt) {
  constexpr std::array<u8, 5> kCode{0xfb, 0xff, 0xc1, 0x9c, 0x58};  // sti; inc ecx; pushf; pop rax
  const RowState after = run(kCode, kFixed);
  EXPECT_EQ(after.gpr[x86::Rax], kIf | kFixed);
  EXPECT_EQ(after.gpr[x86::Rcx], 1U);
  EXPECT_FALSE(guest_.cpu().shadow);
}

TEST_F(KernelEntry, TheInstructionBehindStiFaults) {
  constexpr std::array<u8, 8> kCode{0xfb, 0x8b, 0x04, 0x25, 0x00, 0x20, 0x02, 0x00};
  const RowState after = run(kCode, kFixed);  // sti; mov eax, [kAbsent]
  EXPECT_EQ(after.cr2, RowGuest::kAbsent);
  EXPECT_FALSE(guest_.cpu().shadow);
}

TEST_F(KernelEntry, SwapgsSwapsAndTwiceSwapsBack) {
  guest_.cpu().seg[x86::Gs].base = 0x1234;
  guest_.cpu().kernel_gs_base = 0xffff'8000'0000'5678;
  run(std::array<u8, 3>{0x0f, 0x01, 0xf8}, kFixed);
  EXPECT_EQ(guest_.cpu().seg[x86::Gs].base, 0x1234U);
  EXPECT_EQ(guest_.cpu().kernel_gs_base, 0xffff'8000'0000'5678);
  run(std::array<u8, 6>{0x0f, 0x01, 0xf8, 0x0f, 0x01, 0xf8}, kFixed);
  EXPECT_EQ(guest_.cpu().seg[x86::Gs].base, 0x1234U);
}

}  // namespace
}  // namespace rhea::test
