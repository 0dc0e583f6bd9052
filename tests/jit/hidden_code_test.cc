// SPDX-License-Identifier: GPL-2.0-or-later
// Memory that goes while code from it is known: the processors let it go, too.
#include "rhea/util/rcu.h"
#include "tests/jit/jit_guest.h"

#include <gtest/gtest.h>

#include <atomic>

namespace rhea::test {
namespace {

/// A guest that calls 9000:0100 for ever, where a device's memory may lie in front of RAM.
class JitHiddenCode : public testing::Test {
 protected:
  static constexpr u64 kWindow = 0x90000, kWindowBytes = 64 * KiB;

  JitHiddenCode() {
    put(guest_.memory() + kWindow, 1);
    guest_.load({
        0x9a, 0x00, 0x01, 0x00, 0x90,  // again: call 0x9000:0x0100
        0xa2, 0x00, 0x07,              // mov [0x700], al
        0xeb, 0xf6,                    // jmp again
    });
    guest_.start();
  }
  /// Code that stores beside itself and returns a number.
  static void put(u8* memory, u8 number) {
    std::ranges::copy(
        std::initializer_list<u8>{
            0x2e, 0xc6, 0x06, 0x00, 0x08, number,  // mov byte [cs:0x800], number
            0xb0, number,                          // mov al, number
            0xcb,                                  // retf
        },
        memory + 0x100);
  }
  void show(Region& memory) {
    const DomainGuard lock(&guest_.machine().lock());
    guest_.machine().system_memory().add(kWindow, memory, 1);
  }
  std::weak_ptr<RamBlock> plug(Region& memory, u8 number) {
    EXPECT_TRUE(memory.init_ram(nullptr, "device.ram", kWindowBytes).has_value());
    put(memory.host(), number);
    show(memory);
    return memory.ram();
  }
  void unplug(Region& memory) {
    const DomainGuard lock(&guest_.machine().lock());
    memory.reset();
  }
  /// The guest comes to say so.
  bool says(u8 number) {
    const std::atomic_ref<u8> said(guest_.memory()[0x700]);
    return eventually([&] { return said.load() == number; });
  }
  bool dies(const std::weak_ptr<RamBlock>& memory) {
    return eventually([&] {
      guest_.machine().loop().iterate(false);
      rcu_synchronize();
      return memory.expired();
    });
  }

  JitGuest guest_;
};

TEST_F(JitHiddenCode, GoesWithItsMemory) {
  ASSERT_TRUE(says(1));
  Region device;
  const auto memory = plug(device, 2);
  ASSERT_TRUE(says(2));
  unplug(device);
  EXPECT_TRUE(dies(memory));
  EXPECT_TRUE(says(1));
  EXPECT_EQ(guest_.vm().code().size(), 1u);
}

TEST_F(JitHiddenCode, GoesEachTime) {
  for (u8 round = 2; round < 42; ++round) {
    Region device;
    const auto memory = plug(device, round);
    ASSERT_TRUE(says(round));
    unplug(device);
    ASSERT_TRUE(dies(memory));
    ASSERT_TRUE(says(1));
  }
}

// Nobody has unplugged it: it is only out of sight, and another's stores are not seen meanwhile.
TEST_F(JitHiddenCode, IsReadAnewWhenItsMemoryComesBack) {
  Region device;
  plug(device, 2);
  ASSERT_TRUE(says(2));
  {
    const DomainGuard lock(&guest_.machine().lock());
    guest_.machine().system_memory().remove(device);
  }
  ASSERT_TRUE(says(1));
  put(device.host(), 3);
  show(device);
  EXPECT_TRUE(says(3));
  unplug(device);
}

}  // namespace
}  // namespace rhea::test
