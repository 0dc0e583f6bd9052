// SPDX-License-Identifier: GPL-2.0-or-later
// x87 instructions: the short ways against the whole state, exceptions, stack faults, images.
#include "target/x86/interp/x87.h"

#include "tests/cpu/fpu_machine.h"
#include "tests/cpu/x87_cases.h"
#include "tests/support/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace rhea::x86 {
namespace {

using testing::IsEmpty;

constexpr std::initializer_list<u8> kFld1{0xd9, 0xe8}, kFldz{0xd9, 0xee}, kFaddp{0xde, 0xc1},
    kFdivp{0xde, 0xf9}, kFsin{0xd9, 0xfe}, kFnstswAx{0xdf, 0xe0}, kFnclex{0xdb, 0xe2},
    kFninit{0xdb, 0xe3}, kFwait{0x9b}, kFldDouble{0xdd, 0x03}, kFstpDouble{0xdd, 0x1b},
    kFistpShort{0xdf, 0x1b}, kFldcw{0xd9, 0x2b}, kFnstenv{0xd9, 0x33}, kFldenv{0xd9, 0x23},
    kFnsave{0xdd, 0x33}, kFrstor{0xdd, 0x23}, kFbld{0xdf, 0x23}, kFbstp{0xdf, 0x33};

constexpr X87Register kIndefinite{.significand = 0xc000'0000'0000'0000, .sign_exponent = 0xffff};
constexpr X87Register kOne{.significand = u64{1} << 63, .sign_exponent = 0x3fff};
constexpr u16 kIe = 1, kZe = 4, kPe = 0x20, kSf = 0x40, kEs = 0x80, kC1 = 0x200;

TEST(X87, ShortWaysAgreeWithTheWholeState) {
  const X87Report report = compare_x87_ways(test::from_environment("RHEA_X87_CASES", 100), 1);
  EXPECT_THAT(report.differences, IsEmpty());
  EXPECT_GT(report.executed, 20'000U);
}

TEST(X87, TranscendentalsAreTheHosts) {
  FpuMachine machine;
  machine.cpu.gpr[Rbx] = 0x5000;
  machine.poke(0x5000, 0.7);
  machine.execute(kFldDouble);
  EXPECT_EQ(machine.execute(kFsin), std::nullopt);
  long double expected = 0;
  asm("fsin" : "=t"(expected) : "0"(static_cast<long double>(0.7)));
  X87Register bits;
  std::memcpy(static_cast<void*>(&bits), &expected, 10);
  EXPECT_EQ(interp::st(machine.cpu.x87, 0), bits);
}

TEST(X87, StackOverflowLeavesTheIndefinite) {
  FpuMachine machine;
  machine.cpu.x87.valid = 0xff;
  EXPECT_EQ(machine.execute(kFld1), std::nullopt);
  EXPECT_EQ(machine.cpu.x87.fsw & (kIe | kSf | kC1), kIe | kSf | kC1);
  EXPECT_EQ(machine.cpu.x87.top(), 7U);
  EXPECT_EQ(interp::st(machine.cpu.x87, 0), kIndefinite);
}

TEST(X87, StackUnderflowLeavesTheIndefinite) {
  FpuMachine machine;
  EXPECT_EQ(machine.execute(kFaddp), std::nullopt);
  EXPECT_EQ(machine.cpu.x87.fsw & (kIe | kSf | kC1), kIe | kSf);
  EXPECT_EQ(machine.cpu.x87.top(), 1U);
  EXPECT_EQ(interp::st(machine.cpu.x87, 0), kIndefinite);
}

TEST(X87, UnmaskedExceptionWaitsForTheNextInstruction) {
  FpuMachine machine;
  machine.cpu.x87.fcw = 0x037b;  // ZM clear
  machine.execute(kFld1);
  machine.execute(kFldz);
  EXPECT_EQ(machine.execute(kFdivp), std::nullopt);
  EXPECT_EQ(machine.cpu.x87.fsw & (kZe | kEs | 0x8000), kZe | kEs | 0x8000);
  EXPECT_EQ(machine.cpu.x87.top(), 6U);
  EXPECT_EQ(machine.execute(kFnstswAx), std::nullopt);
  EXPECT_EQ(machine.execute(kFld1), Vector::Mf);
  EXPECT_EQ(machine.execute(kFwait), Vector::Mf);
  EXPECT_EQ(machine.execute(kFnclex), std::nullopt);
  EXPECT_EQ(machine.execute(kFwait), std::nullopt);
}

TEST(X87, WithoutNeErrorsGoToTheBus) {
  FpuMachine machine;
  machine.cpu.cr0 &= ~cr0::kNe;
  machine.cpu.x87.fcw = 0x037b;
  machine.cpu.x87.fsw = kZe | kEs | 0x8000;
  EXPECT_EQ(machine.execute(kFwait), std::nullopt);
  EXPECT_EQ(machine.bench.fpu_errors, 1U);
}

TEST(X87, LoadedControlWordUnmasks) {
  FpuMachine machine;
  machine.cpu.gpr[Rbx] = 0x5000;
  machine.cpu.x87.fsw = kPe;
  machine.poke<u16>(0x5000, 0xff5f);
  EXPECT_EQ(machine.execute(kFldcw), std::nullopt);
  EXPECT_EQ(machine.cpu.x87.fcw, 0x1f5f);
  EXPECT_EQ(machine.execute(kFwait), Vector::Mf);
}

TEST(X87, UnmaskedInvalidStoreChangesNothing) {
  FpuMachine machine;
  machine.cpu.gpr[Rbx] = 0x5000;
  machine.poke<u16>(0x5000, 0x1234);
  machine.cpu.x87.fcw = 0x037e;
  machine.cpu.x87.valid = 1;
  machine.cpu.x87.reg[0] = {.significand = u64{1} << 63, .sign_exponent = 0x4100};
  EXPECT_EQ(machine.execute(kFistpShort), std::nullopt);
  EXPECT_EQ(machine.peek<u16>(0x5000), 0x1234);
  EXPECT_EQ(machine.cpu.x87.valid, 1);
  machine.cpu.x87.fsw = 0;
  machine.cpu.x87.fcw = 0x037f;
  EXPECT_EQ(machine.execute(kFistpShort), std::nullopt);
  EXPECT_EQ(machine.peek<u16>(0x5000), 0x8000);
  EXPECT_EQ(machine.cpu.x87.valid, 0);
}

TEST(X87, StoreThatFaultsPopsNothing) {
  FpuMachine machine;
  machine.limit_data_segment(0x5fff);
  machine.cpu.gpr[Rbx] = 0x5ffc;
  machine.execute(kFld1);
  EXPECT_EQ(machine.execute(kFstpDouble), Vector::Gp);
  EXPECT_EQ(interp::st(machine.cpu.x87, 0), kOne);
  EXPECT_EQ(machine.cpu.x87.valid, 0x80);
}

TEST(X87, Gating) {
  FpuMachine machine;
  machine.cpu.cr0 |= cr0::kEm;
  EXPECT_EQ(machine.execute(kFld1), Vector::Nm);
  EXPECT_EQ(machine.execute(kFninit), Vector::Nm);
  machine.cpu.cr0 = cr0::kPe | cr0::kTs;
  EXPECT_EQ(machine.execute(kFld1), Vector::Nm);
  EXPECT_EQ(machine.execute(kFwait), std::nullopt);
  machine.cpu.cr0 |= cr0::kMp;
  EXPECT_EQ(machine.execute(kFwait), Vector::Nm);
}

TEST(X87, PackedDecimalGoesThereAndBack) {
  FpuMachine machine;
  machine.cpu.gpr[Rbx] = 0x5000;
  machine.poke<u64>(0x5000, 0x1234'5678'9012'3456);
  machine.poke<u16>(0x5008, 0x8078);
  EXPECT_EQ(machine.execute(kFbld), std::nullopt);
  machine.cpu.gpr[Rbx] = 0x5100;
  EXPECT_EQ(machine.execute(kFbstp), std::nullopt);
  EXPECT_EQ(machine.peek<u64>(0x5100), 0x1234'5678'9012'3456U);
  EXPECT_EQ(machine.peek<u16>(0x5108), 0x8078);
}

TEST(X87, EnvironmentInProtectedMode) {
  FpuMachine machine;
  machine.enter_protected();
  machine.cpu.set_rip(0x1234);
  machine.cpu.gpr[Rbx] = 0x5678;
  machine.execute(kFldDouble);
  machine.cpu.gpr[Rbx] = 0x5000;
  EXPECT_EQ(machine.execute(kFnstenv), std::nullopt);
  EXPECT_EQ(machine.peek<u32>(0x5000), 0xffff'037fU);
  EXPECT_EQ(machine.peek<u32>(0x5004), 0xffff'3800U);
  EXPECT_EQ(machine.peek<u32>(0x5008), 0xffff'7fffU);  // ST(0) is a zero
  EXPECT_EQ(machine.peek<u32>(0x500c), 0x1234U);
  EXPECT_EQ(machine.peek<u32>(0x5010), 0x0503'0008U);  // DD 03
  EXPECT_EQ(machine.peek<u32>(0x5014), 0x5678U);
  EXPECT_EQ(machine.peek<u32>(0x5018), 0xffff'0010U);
}

TEST(X87, EnvironmentInRealMode) {
  FpuMachine machine;
  machine.enter_protected();
  machine.cpu.mode = Mode::Real;
  machine.cpu.x87.fip = 0x5678;
  machine.cpu.x87.fcs = 0x1000;
  machine.cpu.x87.fop = 0x123;
  machine.cpu.gpr[Rbx] = 0x5000;
  EXPECT_EQ(machine.execute({0x66, 0xd9, 0x33}), std::nullopt);  // 14 bytes
  EXPECT_EQ(machine.peek<u16>(0x5006), 0x5678);
  EXPECT_EQ(machine.peek<u16>(0x5008), 0x1123);
  machine.cpu.x87.fip = 0;
  EXPECT_EQ(machine.execute({0x66, 0xd9, 0x23}), std::nullopt);
  EXPECT_EQ(machine.cpu.x87.fip, 0x15678U);
  EXPECT_EQ(machine.cpu.x87.fop, 0x123);
}

TEST(X87, SavedAndRestored) {
  FpuMachine machine;
  machine.execute(kFldz);
  machine.execute(kFld1);
  machine.cpu.gpr[Rbx] = 0x5000;
  const X87 before = machine.cpu.x87;
  EXPECT_EQ(machine.execute(kFnsave), std::nullopt);
  EXPECT_EQ(machine.cpu.x87.valid, 0);
  EXPECT_EQ(machine.cpu.x87.fcw, 0x037f);
  EXPECT_EQ(machine.execute(kFrstor), std::nullopt);
  EXPECT_EQ(machine.cpu.x87.reg, before.reg);
  EXPECT_EQ(machine.cpu.x87.fsw, before.fsw);
  EXPECT_EQ(machine.cpu.x87.valid, before.valid);
}

TEST(X87, LoadedEnvironmentUnmasks) {
  FpuMachine machine;
  machine.cpu.gpr[Rbx] = 0x5000;
  machine.poke<u16>(0x5000, 0x0340);
  machine.poke<u16>(0x5004, 0x0001);
  machine.poke<u16>(0x5008, 0xfffc);
  EXPECT_EQ(machine.execute(kFldenv), std::nullopt);
  EXPECT_EQ(machine.cpu.x87.valid, 1);
  EXPECT_EQ(machine.execute(kFld1), Vector::Mf);
}

}  // namespace
}  // namespace rhea::x86
