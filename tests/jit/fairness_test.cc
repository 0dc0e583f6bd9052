// SPDX-License-Identifier: GPL-2.0-or-later
// Guests that do nothing but what takes the processor out of its usual way: others, who wait for it
// to let go of the memory map, wait no longer for that.
#include "rhea/util/rcu.h"
#include "tests/jit/jit_guest.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace rhea::test {
namespace {

/// Whether a thread that waits for all readers gets through while the guest executes `code`, which
/// writes to port 0x80 when it has begun.
bool others_get_through(std::initializer_list<u8> code) {
  JitGuest guest;
  guest.load(code);
  guest.start();
  EXPECT_TRUE(guest.wait_written(1));
  std::atomic<bool> through{false};
  std::thread waiter([&] {
    rcu_synchronize();
    through = true;
  });
  const bool result = eventually([&] { return through.load(); });
  guest.pause();  // which it always obeys
  waiter.join();
  return result;
}

TEST(JitFairness, AHandlerThatFaultsForEver) {
  EXPECT_TRUE(others_get_through({
      0xb8, 0x00, 0x20,                    // mov ax, 0x2000
      0x8e, 0xd0,                          // mov ss, ax
      0xc7, 0x06, 0x18, 0x00, 0x13, 0x10,  // mov word [6 * 4], 0x1013
      0xc7, 0x06, 0x1a, 0x00, 0x00, 0x00,  // mov word [6 * 4 + 2], 0
      0xe6, 0x80,                          // out 0x80, al
      0x0f, 0x0b,                          // 0x1013: ud2
  }));
}

TEST(JitFairness, ALoopUnderABreakpoint) {
  EXPECT_TRUE(others_get_through({
      0x66, 0xb8, 0x01, 0x00, 0x00, 0x00,  // mov eax, 1
      0x0f, 0x23, 0xf8,                    // mov dr7, eax
      0xe6, 0x80,                          // out 0x80, al
      0xeb, 0xfe,                          // jmp $
  }));
}

TEST(JitFairness, ARepeatedInstructionComesUpForAir) {
  JitGuest guest;
  guest.load({0xf3, 0xac, 0xf4});  // rep lodsb; hlt
  x86::Cpu& cpu = guest.vcpu().cpu();
  cpu.gpr[x86::Rcx] = 0x8000;
  guest.vcpu().run_briefly(1);
  EXPECT_EQ(cpu.rip(), 0x1000U);
  EXPECT_GT(cpu.gpr[x86::Rcx], 0U);
  EXPECT_LT(cpu.gpr[x86::Rcx], 0x8000U);
  EXPECT_EQ(cpu.gpr[x86::Rsi], 0x8000 - cpu.gpr[x86::Rcx]);
}

// The instruction is one, however often the processor comes back to it (SDM vol. 3, 18.3.1.1).
TEST(JitFairness, ABreakpointOnARepeatedInstructionIsMetOnce) {
  JitGuest guest;
  guest.load({0xf3, 0xac, 0xf4});  // rep lodsb; hlt
  x86::Cpu& cpu = guest.vcpu().cpu();
  cpu.gpr[x86::Rcx] = 1000;
  cpu.dr[0] = 0x1000;
  cpu.dr7 |= 1;
  cpu.eflags |= x86::eflags::kRf;  // as a debugger resumes it
  guest.vcpu().run_briefly(100);
  EXPECT_EQ(cpu.activity, x86::Activity::Halted);
  EXPECT_EQ(cpu.dr6, x86::dr6::kReset);
  EXPECT_EQ(cpu.gpr[x86::Rcx], 0U);
}

TEST(JitFairness, AFaultInALockedAccessLetsTheOthersGoOn) {
  JitGuest guest(2);
  const auto fault = [](void*) { x86::raise(x86::Vector::Gp, 0); };
  EXPECT_THROW(guest.vcpu(0).vm().exclusively(guest.vcpu(0), fault, nullptr), x86::Fault);
  EXPECT_FALSE(guest.vcpu(0).vm().closed_to(guest.vcpu(1)));
}

TEST(JitFairness, WhoWasShutOutOnceIsNotSlowedDownForEver) {
  JitGuest guest(2);
  guest.load({0xf4});  // hlt
  guest.vcpu(1).vm().exclusively(guest.vcpu(1), [](void*) {}, nullptr);
  ASSERT_TRUE(guest.vcpu().cpu().wants(x86::Attention::Gate));
  guest.vcpu().run_briefly(10);
  EXPECT_EQ(guest.vcpu().cpu().attention.load(), 0U);
}

}  // namespace
}  // namespace rhea::test
