// SPDX-License-Identifier: GPL-2.0-or-later
// Single-stepping: where the traps come, and what holds them.
#include "tests/jit/jit_guest.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rhea::test {
namespace {

using Bytes = std::vector<u8>;

/// A handler of #DB that writes the low byte of its return address to port 0x80.
void set_handler(JitGuest& guest) {
  constexpr u8 code[] = {
      0x55,              // push bp
      0x89, 0xe5,        // mov bp, sp
      0x50,              // push ax
      0x8a, 0x46, 0x02,  // mov al, [bp + 2]
      0xe6, 0x80,        // out 0x80, al
      0x58,              // pop ax
      0x5d,              // pop bp
      0xcf,              // iret
  };
  constexpr u8 vector[] = {0x00, 0x20, 0x00, 0x00};
  std::ranges::copy(code, guest.memory() + 0x2000);
  std::ranges::copy(vector, guest.memory() + 4);
}

/// Where the guest was trapped until it said that it is done.
Bytes traps_of(std::initializer_list<u8> code) {
  JitGuest guest;
  guest.load(code);
  set_handler(guest);
  guest.start();
  EXPECT_TRUE(guest.wait_done());
  return guest.written();
}

TEST(JitDebugTraps, StiHoldsNone) {
  const Bytes traps = traps_of({
      0xbc, 0x00, 0x70,  // mov sp, 0x7000
      0xfa,              // cli
      0x9c,              // pushf
      0x58,              // pop ax
      0x80, 0xcc, 0x01,  // or ah, 1
      0x50,              // push ax
      0x9d,              // popf
      0xfb,              // sti
      0x80, 0xe4, 0xfe,  // 0x0c: and ah, 0xfe
      0x50,              // 0x0f: push ax
      0x9d,              // 0x10: popf
      0xe6, 0x81,        // 0x11: out 0x81, al
      0xf4,              // hlt
  });
  EXPECT_EQ(traps, (Bytes{0x0c, 0x0f, 0x10, 0x11}));
}

TEST(JitDebugTraps, LoadingTheStackSegmentHoldsOne) {
  const Bytes traps = traps_of({
      0xbc, 0x00, 0x70,  // mov sp, 0x7000
      0x31, 0xc9,        // xor cx, cx
      0x9c,              // pushf
      0x58,              // pop ax
      0x80, 0xcc, 0x01,  // or ah, 1
      0x50,              // push ax
      0x9d,              // popf
      0x8e, 0xd1,        // mov ss, cx
      0x80, 0xe4, 0xfe,  // 0x0e: and ah, 0xfe
      0x50,              // 0x11: push ax
      0x9d,              // 0x12: popf
      0xe6, 0x81,        // 0x13: out 0x81, al
      0xf4,              // hlt
  });
  EXPECT_EQ(traps, (Bytes{0x11, 0x12, 0x13}));
}

TEST(JitDebugTraps, Int1BehindALoadOfTheStackSegmentTrapsOnce) {
  const Bytes traps = traps_of({
      0xbc, 0x00, 0x70,  // mov sp, 0x7000
      0x31, 0xc9,        // xor cx, cx
      0x9c,              // pushf
      0x58,              // pop ax
      0x80, 0xcc, 0x01,  // or ah, 1
      0x50,              // push ax
      0x9d,              // popf
      0x8e, 0xd1,        // mov ss, cx
      0xf1,              // int1
      0x80, 0xe4, 0xfe,  // 0x0f: and ah, 0xfe
      0x50,              // 0x12: push ax
      0x9d,              // 0x13: popf
      0xe6, 0x81,        // 0x14: out 0x81, al
      0xf4,              // hlt
  });
  EXPECT_EQ(traps, (Bytes{0x0f, 0x12, 0x13, 0x14}));
}

}  // namespace
}  // namespace rhea::test
