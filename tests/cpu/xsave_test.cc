// SPDX-License-Identifier: GPL-2.0-or-later
// FXSAVE, XSAVE and their kin.
#include "target/x86/interp/xsave_area.h"
#include "tests/cpu/fpu_machine.h"

#include <gtest/gtest.h>

namespace rhea::x86 {
namespace {

using interp::XsaveArea;

constexpr std::initializer_list<u8> kFxsave{0x0f, 0xae, 0x03}, kFxrstor{0x0f, 0xae, 0x0b},
    kFxsave64{0x48, 0x0f, 0xae, 0x03}, kXsave{0x0f, 0xae, 0x23}, kXrstor{0x0f, 0xae, 0x2b},
    kXsaveopt{0x0f, 0xae, 0x33}, kXsavec{0x0f, 0xc7, 0x23}, kLdmxcsr{0x0f, 0xae, 0x13},
    kStmxcsr{0x0f, 0xae, 0x1b}, kVzeroupper{0xc5, 0xf8, 0x77}, kVzeroall{0xc5, 0xfc, 0x77};

constexpr u64 kArea = 0x5000;

class Xsave : public testing::Test {
 protected:
  Xsave() {
    machine.cpu.gpr[Rbx] = kArea;
    machine.cpu.gpr[Rax] = 7;
    machine.cpu.x87.valid = 1;
    machine.cpu.x87.reg[0] = {.significand = 0xc000'0000'0000'0000, .sign_exponent = 0x4000};
    machine.cpu.x87.fip = 0x12'3456'789a;
    machine.cpu.x87.fcs = 0x33;
    machine.cpu.ymm[9].q = {1, 2, 3, 4};
    machine.cpu.mxcsr = 0x3f80;
  }
  void clear_registers() {
    machine.cpu.x87 = {};
    machine.cpu.ymm = {};
    machine.cpu.mxcsr = kMxcsrReset;
  }
  XsaveArea area() const { return machine.peek<XsaveArea>(kArea); }

  FpuMachine machine;
};

TEST_F(Xsave, ProtectionKeysLieBehindAvxOrInItsPlace) {
  machine.cpu.xcr0 |= 0x200;
  machine.cpu.pkru = 0x5555'5554;
  machine.cpu.gpr[Rax] = 0x204;
  EXPECT_EQ(machine.execute(kXsave), std::nullopt);
  EXPECT_EQ(machine.peek<u64>(kArea + 832), 0x5555'5554u);
  machine.cpu.gpr[Rax] = 0x201;
  EXPECT_EQ(machine.execute(kXsavec), std::nullopt);
  EXPECT_EQ(machine.peek<u64>(kArea + 576), 0x5555'5554u);
  machine.cpu.pkru = 0;
  EXPECT_EQ(machine.execute(kXrstor), std::nullopt);
  EXPECT_EQ(machine.cpu.pkru, 0x5555'5554u);
}

TEST_F(Xsave, FxsaveLaysOut) {
  EXPECT_EQ(machine.execute(kFxsave), std::nullopt);
  EXPECT_EQ(machine.peek<u16>(kArea), 0x037f);
  EXPECT_EQ(machine.peek<u8>(kArea + 4), 1);
  EXPECT_EQ(machine.peek<u64>(kArea + 8), 0x0000'0033'3456'789aU);
  EXPECT_EQ(machine.peek<u32>(kArea + 24), 0x3f80U);
  EXPECT_EQ(machine.peek<u32>(kArea + 28), 0xffffU);
  EXPECT_EQ(machine.peek<u64>(kArea + 32), 0xc000'0000'0000'0000U);
  EXPECT_EQ(machine.peek<u64>(kArea + 160 + 16 * 9), 1U);
  EXPECT_EQ(machine.execute(kFxsave64), std::nullopt);
  EXPECT_EQ(machine.peek<u64>(kArea + 8), 0x12'3456'789aU);
}

TEST_F(Xsave, FxrstorBringsBack) {
  machine.execute(kFxsave);
  clear_registers();
  EXPECT_EQ(machine.execute(kFxrstor), std::nullopt);
  EXPECT_EQ(machine.cpu.x87.valid, 1);
  EXPECT_EQ(machine.cpu.x87.reg[0].sign_exponent, 0x4000);
  EXPECT_EQ(machine.cpu.mxcsr, 0x3f80U);
  EXPECT_EQ(machine.cpu.ymm[9].q, (std::array<u64, 4>{1, 2, 0, 0}));
}

TEST_F(Xsave, FxsaveChecks) {
  machine.execute(kFxsave);
  machine.poke<u32>(kArea + 24, 0x1'0000);
  EXPECT_EQ(machine.execute(kFxrstor), Vector::Gp);
  machine.cpu.gpr[Rbx] = kArea + 8;
  EXPECT_EQ(machine.execute(kFxsave), Vector::Gp);
  machine.cpu.cr0 |= cr0::kTs;
  EXPECT_EQ(machine.execute(kFxsave), Vector::Nm);
}

TEST_F(Xsave, OutsideLongModeEightRegisters) {
  machine.enter_protected();
  machine.poke<u64>(kArea + 160 + 16 * 9, 77);
  EXPECT_EQ(machine.execute(kFxsave), std::nullopt);
  EXPECT_EQ(machine.peek<u64>(kArea + 160 + 16 * 9), 77U);
}

TEST_F(Xsave, SavesRequestedComponents) {
  machine.cpu.gpr[Rax] = 4;
  machine.poke<u64>(kArea + 512, 1);
  EXPECT_EQ(machine.execute(kXsave), std::nullopt);
  EXPECT_EQ(area().xstate_bv, 5U);
  EXPECT_EQ(machine.peek<u64>(kArea + 576 + 16 * 9), 3U);
  EXPECT_EQ(area().legacy.mxcsr, 0x3f80U);
  EXPECT_EQ(area().legacy.fcw, 0);
}

TEST_F(Xsave, RestoresWhatItSaved) {
  machine.execute(kXsave);
  clear_registers();
  EXPECT_EQ(machine.execute(kXrstor), std::nullopt);
  EXPECT_EQ(machine.cpu.ymm[9].q, (std::array<u64, 4>{1, 2, 3, 4}));
  EXPECT_EQ(machine.cpu.mxcsr, 0x3f80U);
  EXPECT_EQ(machine.cpu.x87.valid, 1);
}

TEST_F(Xsave, AbsentComponentsAreInitialised) {
  machine.poke<u32>(kArea + 24, 0x1fa0);
  EXPECT_EQ(machine.execute(kXrstor), std::nullopt);
  EXPECT_EQ(machine.cpu.ymm[9].q, (std::array<u64, 4>{}));
  EXPECT_EQ(machine.cpu.x87.valid, 0);
  EXPECT_EQ(machine.cpu.x87.fcw, 0x037f);
  EXPECT_EQ(machine.cpu.mxcsr, 0x1fa0U);
}

TEST_F(Xsave, OptimisedLeavesOutWhatIsInitial) {
  clear_registers();
  machine.poke<u64>(kArea + 576, 77);
  machine.poke<u64>(kArea + 160, 77);
  EXPECT_EQ(machine.execute(kXsaveopt), std::nullopt);
  EXPECT_EQ(area().xstate_bv, 0U);
  EXPECT_EQ(machine.peek<u64>(kArea + 576), 77U);
  EXPECT_EQ(machine.peek<u64>(kArea + 160), 77U);
}

TEST_F(Xsave, CompactedSaysWhatItHolds) {
  machine.cpu.ymm[9].q = {0, 0, 3, 4};
  EXPECT_EQ(machine.execute(kXsavec), std::nullopt);
  EXPECT_EQ(area().xcomp_bv, u64{1} << 63 | 7);
  EXPECT_EQ(area().xstate_bv, 7U);  // SSE for MXCSR's sake
  clear_registers();
  EXPECT_EQ(machine.execute(kXrstor), std::nullopt);
  EXPECT_EQ(machine.cpu.ymm[9].q, (std::array<u64, 4>{0, 0, 3, 4}));
  EXPECT_EQ(machine.cpu.mxcsr, 0x3f80U);
}

TEST_F(Xsave, HeaderIsChecked) {
  machine.execute(kXsave);
  machine.poke<u64>(kArea + 512, 8);  // a component that XCR0 lacks
  EXPECT_EQ(machine.execute(kXrstor), Vector::Gp);
  machine.poke<u64>(kArea + 512, 7);
  machine.poke<u64>(kArea + 528, 1);
  EXPECT_EQ(machine.execute(kXrstor), Vector::Gp);
  machine.poke<u64>(kArea + 528, 0);
  machine.poke<u64>(kArea + 520, u64{1} << 63 | 3);
  EXPECT_EQ(machine.execute(kXrstor), Vector::Gp);
}

TEST_F(Xsave, Gating) {
  machine.cpu.gpr[Rbx] = kArea + 16;
  EXPECT_EQ(machine.execute(kXsave), Vector::Gp);
  machine.cpu.cr0 |= cr0::kTs;
  EXPECT_EQ(machine.execute(kXsave), Vector::Nm);
  machine.cpu.cr4 &= ~cr4::kOsxsave;
  EXPECT_EQ(machine.execute(kXsave), Vector::Ud);
}

TEST_F(Xsave, MxcsrHasReservedBits) {
  machine.poke<u32>(kArea, 0x1'1f80);
  EXPECT_EQ(machine.execute(kLdmxcsr), Vector::Gp);
  machine.poke<u32>(kArea, 0x9fc0);
  EXPECT_EQ(machine.execute(kLdmxcsr), std::nullopt);
  machine.cpu.gpr[Rbx] = kArea + 4;
  EXPECT_EQ(machine.execute(kStmxcsr), std::nullopt);
  EXPECT_EQ(machine.peek<u32>(kArea + 4), 0x9fc0U);
}

TEST_F(Xsave, VzeroClears) {
  machine.cpu.ymm[2].q = {5, 6, 7, 8};
  EXPECT_EQ(machine.execute(kVzeroupper), std::nullopt);
  EXPECT_EQ(machine.cpu.ymm[2].q, (std::array<u64, 4>{5, 6, 0, 0}));
  EXPECT_EQ(machine.cpu.ymm[9].q, (std::array<u64, 4>{1, 2, 0, 0}));
  EXPECT_EQ(machine.execute(kVzeroall), std::nullopt);
  EXPECT_EQ(machine.cpu.ymm[9].q, (std::array<u64, 4>{}));
}

}  // namespace
}  // namespace rhea::x86
