// SPDX-License-Identifier: GPL-2.0-or-later
// Code that is written over: by itself, by another processor, by a device.
#include "tests/jit/jit_guest.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using Bytes = std::vector<u8>;

TEST(JitCodeChanges, AStoreIntoTheNextInstructionIsSeen) {
  JitGuest guest;
  guest.load({
      0xc6, 0x06, 0x06, 0x10, 0x55,  // mov byte [0x1006], 0x55
      0xb0, 0x11,                    // mov al, 0x11 (0x55 by then)
      0xe6, 0x80,                    // out 0x80, al
      0xe6, 0x81,                    // out 0x81, al
      0xf4,                          // hlt
  });
  guest.start();
  ASSERT_TRUE(guest.wait_done());
  EXPECT_EQ(guest.written(), (Bytes{0x55}));
}

TEST(JitCodeChanges, ALoopThatCountsInItsOwnImmediate) {
  JitGuest guest;
  guest.load({
      0xb9, 0x64, 0x00,        // mov cx, 100
      0xb0, 0x00,              // 0x1003: mov al, 0
      0xfe, 0x06, 0x04, 0x10,  // inc byte [0x1004]
      0xe2, 0xf8,              // loop 0x1003
      0xe6, 0x80,              // out 0x80, al
      0xe6, 0x81,              // out 0x81, al
      0xf4,                    // hlt
  });
  guest.start();
  ASSERT_TRUE(guest.wait_done());
  EXPECT_EQ(guest.written(), (Bytes{99}));
  EXPECT_EQ(guest.memory()[0x1004], 100);
}

TEST(JitCodeChanges, DataBesideCodeDoesNotDisturbIt) {
  JitGuest guest;
  guest.load({
      0xb9, 0x00, 0x80,        // mov cx, 0x8000
      0xff, 0x06, 0x00, 0x1f,  // 0x1003: inc word [0x1f00]
      0xe2, 0xfa,              // loop 0x1003
      0xa0, 0x01, 0x1f,        // mov al, [0x1f01]
      0xe6, 0x80,              // out 0x80, al
      0xe6, 0x81,              // out 0x81, al
      0xf4,                    // hlt
  });
  guest.start();
  ASSERT_TRUE(guest.wait_done());
  EXPECT_EQ(guest.written(), (Bytes{0x80}));
}

/// An instruction on two pages, three times; it ends in `out 0x80, al` and counts at `changed`.
Bytes run_across_pages(u8 changed_low, u8 changed_high, u8 shown) {
  JitGuest guest;
  guest.load({
      0xb9, 0x03, 0x00,  // mov cx, 3
      0xe9, 0xf8, 0x0f,  // jmp 0x1ffe
  });
  const Bytes code = {
      0xb8, 0x11,  0x55,                       // 0x1ffe: mov ax, 0x5511
      0x88, shown,                             // mov al, al or ah
      0xe6, 0x80,                              // out 0x80, al
      0xfe, 0x06,  changed_low, changed_high,  // inc byte [changed]
      0x49,                                    // dec cx
      0x75, 0xf2,                              // jnz 0x1ffe
      0xe6, 0x81,                              // out 0x81, al
      0xf4,                                    // hlt
  };
  std::ranges::copy(code, guest.memory() + 0x1ffe);
  guest.start();
  EXPECT_TRUE(guest.wait_done());
  return guest.written();
}

TEST(JitCodeChanges, AnInstructionOnTwoPagesChangesOnTheFirst) {
  EXPECT_EQ(run_across_pages(0xff, 0x1f, 0xc0), (Bytes{0x11, 0x12, 0x13}));
}

TEST(JitCodeChanges, AnInstructionOnTwoPagesChangesOnTheSecond) {
  EXPECT_EQ(run_across_pages(0x00, 0x20, 0xe0), (Bytes{0x55, 0x56, 0x57}));
}

// As DMA does: through the address space, from another thread.
TEST(JitCodeChanges, ADeviceWritesOverALoop) {
  JitGuest guest;
  guest.load({
      0xb0, 0x01,  // 0x1000: mov al, 1
      0xe6, 0x80,  // out 0x80, al
      0xeb, 0xfa,  // jmp 0x1000
  });
  guest.start();
  ASSERT_TRUE(guest.wait_written(1000));
  const Bytes stop = {0xe6, 0x81, 0xf4};  // out 0x81, al; hlt
  static_cast<void>(guest.machine().memory().write(0x1002, stop));
  EXPECT_TRUE(guest.wait_done());
}

TEST(JitCodeChanges, AnotherProcessorWritesOverALoop) {
  JitGuest guest(2);
  guest.load({
      0xe6, 0x80,  // 0x1000: out 0x80, al
      0xeb, 0xfc,  // jmp 0x1000
  });
  guest.load(
      {
          0xb9, 0x00, 0x40,                    // mov cx, 0x4000
          0xe2, 0xfe,                          // loop $
          0xc7, 0x06, 0x02, 0x10, 0xe6, 0x81,  // mov word [0x1002], "out 0x81, al"
          0xc6, 0x06, 0x04, 0x10, 0xf4,        // mov byte [0x1004], "hlt"
          0xe6, 0x81,                          // out 0x81, al
          0xf4,                                // hlt
      },
      1);
  guest.memory()[0x1004] = 0xf4;
  guest.start();
  EXPECT_TRUE(guest.wait_done(2));
}

}  // namespace
}  // namespace rhea::test
