// SPDX-License-Identifier: GPL-2.0-or-later
// KVM's hypercalls, where -cpu has kvm=on.
#include "tests/jit/jit_guest.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rhea::test {
namespace {

constexpr const char* kWithKvm = "qemu64,kvm=on";

/// What EAX is behind VMMCALL in real mode.
u32 answer(u32 number, const char* model, std::array<u32, 4> arguments = {}, unsigned cpus = 1) {
  JitGuest guest(cpus, {}, model);
  guest.load({0x0f, 0x01, 0xd9, 0xf4});                 // vmmcall; hlt
  constexpr u8 undefined[] = {0x00, 0x20, 0x00, 0x00};  // #UD: hlt
  std::ranges::copy(undefined, guest.memory() + 6 * 4);
  guest.memory()[0x2000] = 0xf4;
  x86::Cpu& cpu = guest.vcpu().cpu();
  cpu.gpr[x86::Rax] = number;
  cpu.gpr[x86::Rbx] = arguments[0];
  cpu.gpr[x86::Rcx] = arguments[1];
  cpu.gpr[x86::Rdx] = arguments[2];
  cpu.gpr[x86::Rsi] = arguments[3];
  guest.vcpu().run_briefly(100);
  return static_cast<u32>(cpu.gpr[x86::Rax]);
}

TEST(JitHypercalls, AreUndefinedWithoutKvm) {
  EXPECT_EQ(answer(1, "qemu64"), 1U);
  EXPECT_EQ(answer(1, "qemu64,kvm=off"), 1U);
}

TEST(JitHypercalls, AreAnsweredAsByKvm) {
  EXPECT_EQ(answer(1, kWithKvm), 0U);
  EXPECT_EQ(answer(0xffff'ffff, kWithKvm), static_cast<u32>(-1000));
}

TEST(JitHypercalls, AnIpiGoesToWhomTheBitmapNames) {
  constexpr u32 kSend = 10;
  EXPECT_EQ(answer(kSend, kWithKvm, {0b101, 0, 0, 0x40}, 3), 2U);
  EXPECT_EQ(answer(kSend, kWithKvm, {0, 0b11, 0, 0x40}, 3), 0U);
  EXPECT_EQ(answer(kSend, kWithKvm, {0b11, 0, 2, 0x40}, 3), 1U);
  EXPECT_EQ(answer(kSend, kWithKvm, {0xffff'ffff, 0, 0xffff'ffff, 0}, 3), 0U);
  EXPECT_EQ(answer(kSend, kWithKvm, {1, 0, 0, 0xc'0040}, 3), static_cast<u32>(-22));
}

TEST(JitHypercalls, GoWithTheNameOfKvm) {
  x86::CpuModel model;
  model.set(x86::Feature::Hypervisor);
  EXPECT_EQ(x86::cpuid(model, 0x4000'0000, 0, {}).ebx, 0x5447'4354U);  // TCGT
  model.kvm = true;
  EXPECT_EQ(x86::cpuid(model, 0x4000'0000, 0, {}).ebx, 0x4b4d'564bU);  // KVMK
}

}  // namespace
}  // namespace rhea::test
