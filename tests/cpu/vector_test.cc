// SPDX-License-Identifier: GPL-2.0-or-later
// Vector instructions: every row against the host, and what the host's own cannot do for the guest:
// gating, alignment, faults, memory element by element.
#include "tests/cpu/fpu_machine.h"
#include "tests/cpu/vector_cases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::x86 {
namespace {

using testing::IsEmpty;

constexpr std::initializer_list<u8> kMovapsLoad{0x0f, 0x28, 0x03};        // xmm0, [rbx]
constexpr std::initializer_list<u8> kMovupsLoad{0x0f, 0x10, 0x03};        // xmm0, [rbx]
constexpr std::initializer_list<u8> kMovapsStore{0x0f, 0x29, 0x03};       // [rbx], xmm0
constexpr std::initializer_list<u8> kAddpsLoad{0x0f, 0x58, 0x03};         // xmm0, [rbx]
constexpr std::initializer_list<u8> kVaddpsLoad{0xc5, 0xf4, 0x58, 0x03};  // ymm0, ymm1, [rbx]
constexpr std::initializer_list<u8> kDivpd{0x66, 0x0f, 0x5e, 0xc1};       // xmm0, xmm1
constexpr std::initializer_list<u8> kPaddwMmx{0x0f, 0xfd, 0xc1};          // mm0, mm1
constexpr std::initializer_list<u8> kVpgatherdd{0xc4, 0xe2, 0x69, 0x90, 0x04, 0x8b};
constexpr std::initializer_list<u8> kVmaskmovpsStore{0xc4, 0xe2, 0x71, 0x2e, 0x03};
constexpr std::initializer_list<u8> kVmaskmovpsLoad{0xc4, 0xe2, 0x71, 0x2c, 0x03};
constexpr std::initializer_list<u8> kMaskmovdqu{0x66, 0x0f, 0xf7, 0xc1};

constexpr u64 kOnes = 0x3ff0'0000'0000'0000;  // 1.0

TEST(VectorRows, ExecuteAsOnTheHost) {
  const VectorReport report = compare_vector_rows(3, SimdExceptions::Masked, 1);
  EXPECT_THAT(report.differences, IsEmpty());
  EXPECT_THAT(report.untested, IsEmpty());
  EXPECT_GT(report.executed, 5'000U);
}

TEST(VectorRows, RaiseUnmaskedExceptionsAsOnTheHost) {
  const VectorReport report = compare_vector_rows(8, SimdExceptions::Unmasked, 2);
  EXPECT_THAT(report.differences, IsEmpty());
  EXPECT_GT(report.exceptions, 500U);
}

TEST(VectorGate, EmulationAndMissingOsSupportAreUndefined) {
  FpuMachine machine;
  machine.cpu.cr0 |= cr0::kEm;
  EXPECT_EQ(machine.execute(kDivpd), Vector::Ud);
  EXPECT_EQ(machine.execute(kPaddwMmx), Vector::Ud);
  machine.cpu.cr0 &= ~cr0::kEm;
  machine.cpu.cr4 &= ~cr4::kOsfxsr;
  EXPECT_EQ(machine.execute(kDivpd), Vector::Ud);
  EXPECT_EQ(machine.execute(kPaddwMmx), std::nullopt);
}

TEST(VectorGate, TaskSwitchedIsDeviceNotAvailable) {
  FpuMachine machine;
  machine.cpu.cr0 |= cr0::kTs;
  EXPECT_EQ(machine.execute(kDivpd), Vector::Nm);
  EXPECT_EQ(machine.execute(kPaddwMmx), Vector::Nm);
  EXPECT_EQ(machine.execute(kVaddpsLoad), Vector::Nm);
}

TEST(VectorGate, AvxNeedsXcr0) {
  FpuMachine machine;
  machine.cpu.xcr0 = 3;
  EXPECT_EQ(machine.execute(kVaddpsLoad), Vector::Ud);
  machine.cpu.xcr0 = 7;
  machine.cpu.cr4 &= ~cr4::kOsxsave;
  EXPECT_EQ(machine.execute(kVaddpsLoad), Vector::Ud);
}

TEST(VectorGate, MmxWaitsForX87Exceptions) {
  FpuMachine machine;
  machine.cpu.x87.fsw = 0x8081;
  machine.cpu.x87.fcw = 0x037e;
  EXPECT_EQ(machine.execute(kPaddwMmx), Vector::Mf);
  EXPECT_EQ(machine.execute(kDivpd), std::nullopt);
}

TEST(VectorGate, ExceptionWithoutOsSupportIsUndefined) {
  FpuMachine machine;
  machine.cpu.mxcsr = 0x1f80 & ~0x200;
  machine.cpu.ymm[0].q = {kOnes, kOnes, 0, 0};
  EXPECT_EQ(machine.execute(kDivpd), Vector::Xm);
  EXPECT_EQ(machine.cpu.mxcsr & 0x3f, 4U);
  EXPECT_EQ(machine.cpu.ymm[0].q[0], kOnes);
  machine.cpu.cr4 &= ~cr4::kOsxmmexcpt;
  EXPECT_EQ(machine.execute(kDivpd), Vector::Ud);
}

TEST(VectorMmx, TakesTheX87RegistersOver) {
  FpuMachine machine;
  machine.cpu.x87.set_top(5);
  machine.execute(kPaddwMmx);
  EXPECT_EQ(machine.cpu.x87.top(), 0U);
  EXPECT_EQ(machine.cpu.x87.valid, 0xff);
  EXPECT_EQ(machine.cpu.x87.reg[0].sign_exponent, 0xffff);
  EXPECT_EQ(machine.cpu.x87.reg[1].sign_exponent, 0);
  machine.execute({0x0f, 0x77});  // EMMS
  EXPECT_EQ(machine.cpu.x87.valid, 0);
}

TEST(VectorAlignment, LegacyOperandsAreAligned) {
  FpuMachine machine;
  machine.cpu.gpr[Rbx] = 0x1008;
  EXPECT_EQ(machine.execute(kMovapsLoad), Vector::Gp);
  EXPECT_EQ(machine.execute(kMovapsStore), Vector::Gp);
  EXPECT_EQ(machine.execute(kAddpsLoad), Vector::Gp);
  EXPECT_EQ(machine.execute(kMovupsLoad), std::nullopt);
}

TEST(VectorAlignment, VexOperandsOnlyWhereTheNameSaysSo) {
  FpuMachine machine;
  machine.cpu.gpr[Rbx] = 0x1010;
  EXPECT_EQ(machine.execute(kVaddpsLoad), std::nullopt);
  EXPECT_EQ(machine.execute({0xc5, 0xfc, 0x28, 0x03}), Vector::Gp);  // VMOVAPS YMM
  EXPECT_EQ(machine.execute({0xc5, 0xf8, 0x28, 0x03}), std::nullopt);
}

TEST(VectorMemory, OperandsCrossPages) {
  FpuMachine machine;
  machine.cpu.gpr[Rbx] = 0x5ff8;
  machine.poke<u64>(0x5ff8, 0x1111);
  machine.poke<u64>(0x6000, 0x2222);
  machine.cpu.ymm[0].q = {1, 2, 3, 4};
  EXPECT_EQ(machine.execute(kMovupsLoad), std::nullopt);
  EXPECT_EQ(machine.cpu.ymm[0].q, (std::array<u64, 4>{0x1111, 0x2222, 3, 4}));
}

TEST(VectorMemory, VexClearsTheUpperHalf) {
  FpuMachine machine;
  machine.cpu.gpr[Rbx] = 0x5000;
  machine.cpu.ymm[0].q = {1, 2, 3, 4};
  EXPECT_EQ(machine.execute({0xc5, 0xf8, 0x10, 0x03}), std::nullopt);  // VMOVUPS XMM
  EXPECT_EQ(machine.cpu.ymm[0].q, (std::array<u64, 4>{}));
}

TEST(VectorMemory, FaultLeavesRegistersAndMxcsr) {
  FpuMachine machine;
  machine.limit_data_segment(0x5fff);
  machine.cpu.gpr[Rbx] = 0x6000;
  machine.cpu.ymm[0].q = {1, 2, 3, 4};
  EXPECT_EQ(machine.execute(kAddpsLoad), Vector::Gp);
  EXPECT_EQ(machine.cpu.ymm[0].q, (std::array<u64, 4>{1, 2, 3, 4}));
  EXPECT_EQ(machine.cpu.mxcsr, kMxcsrReset);
}

TEST(VectorElements, GatherGoesOnAfterAFault) {
  FpuMachine machine;
  machine.limit_data_segment(0x5fff);
  machine.cpu.gpr[Rbx] = 0x5000;
  machine.poke<u32>(0x5004, 77);
  machine.poke<u32>(0x5ffc, 88);
  machine.cpu.ymm[0].q = {u64{9} << 32, u64{9} << 32, 5, 5};
  machine.cpu.ymm[1].q = {1 | u64{0x3ff} << 32, 0x400 | u64{2} << 32, 0, 0};  // indices
  machine.cpu.ymm[2].q = {~u64{0}, 0x8000'0000, 0, 0};                        // mask

  EXPECT_EQ(machine.execute(kVpgatherdd), Vector::Gp);
  EXPECT_EQ(machine.cpu.ymm[0].q[0], 77 | u64{88} << 32);
  EXPECT_EQ(machine.cpu.ymm[2].q[0], 0U);
  EXPECT_EQ(machine.cpu.ymm[2].q[1], 0xffff'ffffU);

  machine.limit_data_segment(0xffff);
  machine.poke<u32>(0x6000, 99);
  EXPECT_EQ(machine.execute(kVpgatherdd), std::nullopt);
  EXPECT_EQ(machine.cpu.ymm[0].q, (std::array<u64, 4>{77 | u64{88} << 32, 99 | u64{9} << 32}));
  EXPECT_EQ(machine.cpu.ymm[2].q, (std::array<u64, 4>{}));
}

TEST(VectorElements, GatherWantsThreeDifferentRegisters) {
  FpuMachine machine;
  // VPGATHERDD xmm0, [rbx + xmm0 * 4], xmm2
  EXPECT_EQ(machine.execute({0xc4, 0xe2, 0x69, 0x90, 0x04, 0x83}), Vector::Ud);
}

TEST(VectorElements, MaskedOffElementsDoNotFault) {
  FpuMachine machine;
  machine.limit_data_segment(0x5fff);
  machine.cpu.gpr[Rbx] = 0x5ff8;
  machine.poke<u64>(0x5ff8, 0x2222'2222'1111'1111);
  machine.cpu.ymm[0].q = {3, 3, 3, 3};
  machine.cpu.ymm[1].q = {u64{1} << 63, 0, 0, 0};
  EXPECT_EQ(machine.execute(kVmaskmovpsLoad), std::nullopt);
  EXPECT_EQ(machine.cpu.ymm[0].q, (std::array<u64, 4>{0x2222'2222'0000'0000}));
  machine.cpu.ymm[0].q = {0x4444'4444'3333'3333, 0, 0, 0};
  EXPECT_EQ(machine.execute(kVmaskmovpsStore), std::nullopt);
  EXPECT_EQ(machine.peek<u64>(0x5ff8), 0x4444'4444'1111'1111U);
}

TEST(VectorElements, StoresLookBeforeTheyLeap) {
  FpuMachine machine;
  machine.limit_data_segment(0x5fff);
  machine.cpu.gpr[Rbx] = machine.cpu.gpr[Rdi] = 0x5ff8;
  machine.cpu.ymm[0].q = {5, 5, 5, 5};
  machine.cpu.ymm[1].q = {~u64{0}, ~u64{0}, 0, 0};
  EXPECT_EQ(machine.execute(kVmaskmovpsStore), Vector::Gp);
  EXPECT_EQ(machine.execute(kMaskmovdqu), Vector::Gp);
  EXPECT_EQ(machine.peek<u64>(0x5ff8), 0U);
}

TEST(VectorElements, MaskmovdquStoresSelectedBytes) {
  FpuMachine machine;
  machine.cpu.gpr[Rdi] = 0x5000;
  machine.cpu.ymm[0].q = {0x0807'0605'0403'0201, 0x1817'1615'1413'1211, 0, 0};
  machine.cpu.ymm[1].q = {0x8000'0000'0000'0080, 0x80, 0, 0};
  EXPECT_EQ(machine.execute(kMaskmovdqu), std::nullopt);
  EXPECT_EQ(machine.peek<u64>(0x5000), 0x0800'0000'0000'0001U);
  EXPECT_EQ(machine.peek<u64>(0x5008), 0x11U);
}

}  // namespace
}  // namespace rhea::x86
