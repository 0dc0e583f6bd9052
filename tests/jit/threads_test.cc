// SPDX-License-Identifier: GPL-2.0-or-later
// Several software processors at once: locked accesses, stopping and going on.
#include "tests/jit/jit_guest.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

/// lock inc dword [address], 65535 times, by each of four processors.
u32 count_of_four(u16 address) {
  JitGuest guest(4);
  const auto low = static_cast<u8>(address), high = static_cast<u8>(address >> 8);
  for (unsigned cpu = 0; cpu < 4; ++cpu)
    guest.load({0xb9, 0xff, 0xff,                   // mov cx, 0xffff
                0xf0, 0x66, 0xff, 0x06, low, high,  // lock inc dword [address]
                0xe2, 0xf8,                         // loop
                0xe6, 0x81,                         // out 0x81, al
                0xf4},                              // hlt
               cpu);
  guest.start();
  EXPECT_TRUE(guest.wait_done(4));
  u32 value = 0;
  std::memcpy(&value, guest.memory() + address, sizeof value);
  return value;
}

TEST(JitThreads, LockedIncrementsOfFourProcessorsAddUp) {
  EXPECT_EQ(count_of_four(0x6000), 4U * 65535);
}

TEST(JitThreads, AcrossACacheLineToo) { EXPECT_EQ(count_of_four(0x603e), 4U * 65535); }

TEST(JitThreads, AcrossAPageToo) { EXPECT_EQ(count_of_four(0x6ffe), 4U * 65535); }

// A lock in the page of code, where no TLB entry serves a store. One that is made twice opens the
// lock for the other processor, and then once more while that has it.
TEST(JitThreads, AStoreToAPageWithCodeIsMadeOnce) {
  JitGuest guest(2);
  for (unsigned cpu = 0; cpu < 2; ++cpu)
    guest.load({0x66, 0xb9, 0x00, 0x00, 0x08, 0x00,  // mov ecx, 0x80000
                0xb8, 0x01, 0x00,                    // mov ax, 1
                0x87, 0x06, 0x00, 0x18,              // xchg [0x1800], ax
                0x85, 0xc0,                          // test ax, ax
                0x75, 0xf5,                          // jnz $ - 9
                0x66, 0xff, 0x06, 0x04, 0x18,        // inc dword [0x1804]
                0xc7, 0x06, 0x00, 0x18, 0x00, 0x00,  // mov word [0x1800], 0
                0x67, 0xe2, 0xe7,                    // loop, by ecx, $ - 22
                0xe6, 0x81,                          // out 0x81, al
                0xf4},                               // hlt
               cpu);
  guest.start();
  EXPECT_TRUE(guest.wait_done(2));
  u32 value = 0;
  std::memcpy(&value, guest.memory() + 0x1804, sizeof value);
  EXPECT_EQ(value, 2U * 0x80000);
}

TEST(JitThreads, NoStopIsLost) {
  JitGuest guest(2);
  for (unsigned cpu = 0; cpu < 2; ++cpu)
    guest.load({0xe6, 0x80, 0xeb, 0xfc}, cpu);  // out 0x80, al; jmp $ - 2
  guest.start();
  for (unsigned round = 1; round <= 2000; ++round) {
    ASSERT_TRUE(guest.wait_written(guest.written_count() + 1));
    guest.pause();
    guest.resume();
  }
  guest.pause();
  EXPECT_FALSE(guest.machine().running());
}

TEST(JitThreads, AHaltedProcessorStopsAndGoesOn) {
  JitGuest guest;
  guest.load({0xe6, 0x80, 0xf4, 0xeb, 0xfd});  // out 0x80, al; hlt; jmp $ - 1
  guest.start();
  ASSERT_TRUE(guest.wait_halted());
  for (unsigned round = 0; round < 500; ++round) {
    guest.pause();
    guest.resume();
  }
  guest.pause();
  x86::CpuState state;
  ASSERT_TRUE(guest.vcpu().get_state(state));
  EXPECT_EQ(state.mp_state, x86::MpState::Halted);
  EXPECT_EQ(state.rip, 0x1003U);
}

// Every commit of the map asks the processors to drop what they know of it.
TEST(JitThreads, TheMapChangesUnderRunningProcessors) {
  JitGuest guest(2);
  for (unsigned cpu = 0; cpu < 2; ++cpu)
    guest.load({0xfe, 0x06, 0x00, 0x60, 0xeb, 0xfa}, cpu);  // inc byte [0x6000]; jmp $ - 4
  guest.start();
  for (unsigned round = 0; round < 200; ++round) {
    const DomainGuard lock(&guest.machine().lock());
    Region other;
    ASSERT_TRUE(other.init_ram(nullptr, "other", 4 * KiB));
    guest.machine().system_memory().add(0x6000, other, 1);
    guest.machine().system_memory().remove(other);
  }
  guest.pause();
  EXPECT_FALSE(guest.machine().running());
}

}  // namespace
}  // namespace rhea::test
