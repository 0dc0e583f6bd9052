// SPDX-License-Identifier: GPL-2.0-or-later
// -icount: time is what has been executed, and runs repeat exactly.
#include "accel/jit/turns.h"

#include "tests/jit/jit_guest.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr accel::InstructionCount::Settings kCounting = {.shift = 3, .sleep = false};
constexpr i64 kInstruction = 8;

/// What three processors write that race for a number and look at the time.
std::vector<u8> race() {
  JitGuest guest(3, kCounting);
  for (unsigned cpu = 0; cpu < 3; ++cpu)
    guest.load({0xb9, 0x00, 0x20,        // mov cx, 0x2000
                0x66, 0x0f, 0xb6, 0xc1,  // movzx eax, cl
                0xff, 0x06, 0x00, 0x60,  // inc word [0x6000]
                0xa1, 0x00, 0x60,        // mov ax, [0x6000]
                0xe6, 0x80,              // out 0x80, al
                0x0f, 0x31,              // rdtsc
                0xe6, 0x80,              // out 0x80, al
                0xe2, 0xed,              // loop
                0xe6, 0x81,              // out 0x81, al
                0xf4},                   // hlt
               cpu);
  guest.start();
  EXPECT_TRUE(guest.wait_done(3));
  return guest.written();
}

TEST(JitTurns, TwoRunsAreIdentical) {
  const std::vector<u8> first = race();
  EXPECT_EQ(first.size(), 3U * 2 * 0x2000);
  EXPECT_EQ(first, race());
}

TEST(JitTurns, AnInstructionTakesItsTimeAndTimersFireExactlyBehindOne) {
  JitGuest guest(1, kCounting);
  guest.load({0x40, 0x43, 0x41, 0xeb, 0xfb});  // inc ax; inc bx; inc cx; jmp $ - 3
  std::vector<u64> executed;
  std::atomic<bool> all = false;
  Timer timer;
  {
    const DomainGuard lock(&guest.machine().lock());
    timer.init(guest.machine().virtual_clock(), [&] {
      executed.push_back(guest.vm().turns()->executed());
      if (executed.size() < 3)
        timer.arm_in(1001 * kInstruction);
      else
        all = true;
    });
    timer.arm(1001 * kInstruction);
  }
  guest.start();
  eventually([&] { return all.load(); });
  guest.pause();
  EXPECT_EQ(executed, (std::vector<u64>{1001, 2002, 3003}));
}

TEST(JitTurns, ASleepingGuestsTimeIsSkipped) {
  JitGuest guest(2, kCounting);
  for (unsigned cpu = 0; cpu < 2; ++cpu) guest.load({0xf4, 0xeb, 0xfd}, cpu);  // hlt; jmp $ - 1
  i64 fired_at = 0;
  Timer timer;
  {
    const DomainGuard lock(&guest.machine().lock());
    timer.init(guest.machine().virtual_clock(),
               [&] { fired_at = guest.machine().virtual_clock().now_ns(); });
    timer.arm(3600 * kNsPerSecond);
  }
  guest.start();
  eventually([&] { return !timer.armed(); });
  guest.pause();
  EXPECT_EQ(fired_at, 3600 * kNsPerSecond);
}

TEST(JitTurns, TimePassesForAGuestThatOnlyFaults) {
  JitGuest guest(1, kCounting);
  guest.load({0x0f, 0x0b});  // ud2, whose handler it is itself
  guest.memory()[4 * 6 + 1] = 0x10;
  std::atomic<bool> fired = false;
  Timer timer;
  {
    const DomainGuard lock(&guest.machine().lock());
    timer.init(guest.machine().virtual_clock(), [&] { fired = true; });
    timer.arm(1000 * kInstruction);
  }
  guest.start();
  eventually([&] { return fired.load(); });
  guest.pause();
  EXPECT_TRUE(fired);
}

TEST(JitTurns, ProcessorsThatSleepCanBeStoppedAndGoOn) {
  JitGuest guest(2, JitGuest::Counting({.shift = 0, .sleep = true}));
  guest.load({0xe6, 0x80, 0xeb, 0xfc});  // out 0x80, al; jmp $ - 2
  guest.load({0xf4, 0xeb, 0xfd}, 1);     // hlt; jmp $ - 1
  guest.start();
  for (unsigned round = 0; round < 300; ++round) {
    ASSERT_TRUE(guest.wait_written(guest.written_count() + 1));
    guest.pause();
    guest.resume();
  }
  guest.pause();
  EXPECT_FALSE(guest.machine().running());
}

}  // namespace
}  // namespace rhea::test
