// SPDX-License-Identifier: GPL-2.0-or-later
// The gate of address line 20 before a software processor.
#include "rhea/softmmu/a20.h"

#include "tests/jit/jit_guest.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr std::initializer_list<u8> kReadHighMemory = {
    0xb8, 0xff, 0xff,  // mov ax, 0xffff
    0x8e, 0xd8,        // mov ds, ax
    0xa0, 0x10, 0x05,  // again: mov al, [0x510]: linear 0x100500
    0xe6, 0x80,        // out 0x80, al
    0xeb, 0xf9,        // jmp again
};

class JitA20 : public testing::Test {
 protected:
  void set_gate(JitGuest& guest, bool open) {
    const DomainGuard lock(&guest.machine().lock());
    guest.machine().service<A20Gate>().set(open);
  }
};

TEST_F(JitA20, ClosedItMakesAddressesWrapAtAMegabyte) {
  JitGuest guest;
  guest.load({
      0xb8, 0xff, 0xff,              // mov ax, 0xffff
      0x8e, 0xd8,                    // mov ds, ax
      0xc6, 0x06, 0x10, 0x05, 0x5a,  // mov byte [0x510], 0x5a
      0xe6, 0x81,                    // out 0x81, al
      0xf4,                          // hlt
  });
  set_gate(guest, false);
  guest.start();
  ASSERT_TRUE(guest.wait_done());
  EXPECT_EQ(guest.memory()[0x500], 0x5a);
  EXPECT_EQ(guest.memory()[0x100500], 0);
}

TEST_F(JitA20, ARunningProcessorSeesEachChange) {
  JitGuest guest;
  guest.memory()[0x500] = 1;
  guest.memory()[0x100500] = 2;
  guest.load(kReadHighMemory);
  guest.start();
  const auto reads = [&guest](u8 value) {
    return eventually(
        [&] { return guest.written_count() != 0 && guest.written().back() == value; });
  };
  EXPECT_TRUE(reads(2));
  set_gate(guest, false);
  EXPECT_TRUE(reads(1));
  set_gate(guest, true);
  EXPECT_TRUE(reads(2));
}

TEST_F(JitA20, OtherProcessorsDoNotHaveIt) {
  JitGuest guest(2);
  guest.memory()[0x500] = 1;
  guest.memory()[0x100500] = 2;
  guest.load({0xf4});
  guest.load(kReadHighMemory, 1);
  set_gate(guest, false);
  guest.start();
  ASSERT_TRUE(guest.wait_written(1));
  EXPECT_EQ(guest.written().front(), 2);
}

}  // namespace
}  // namespace rhea::test
