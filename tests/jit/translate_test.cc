// SPDX-License-Identifier: GPL-2.0-or-later
// A debugger's translation of addresses, where the page tables lie on a device.
#include "tests/jit/jit_guest.h"

#include <gtest/gtest.h>

#include <future>

namespace rhea::test {
namespace {

constexpr u64 kDevice = 0xfec0'0000;

struct Registers {
  u64 read(u64, unsigned) {
    ++reads;
    return 0xffff'ffff;
  }
  void write(u64, u64, unsigned) {}
  std::atomic<unsigned> reads{0};
};

// Whoever has the machine's lock may wait for this thread's guard.
TEST(JitTranslate, WaitsForNoLockWhereTheTablesLieOnADevice) {
  JitGuest guest;
  Registers registers;
  Region device;
  device.init_io(nullptr, "registers", 0x1000, io<&Registers::read, &Registers::write>(),
                 &registers);
  std::unique_lock lock(guest.machine().lock());
  guest.machine().system_memory().add(kDevice, device);
  x86::CpuState state;
  ASSERT_TRUE(guest.vcpu().get_state(state));
  state.cr3 = kDevice;
  state.cr0 |= x86::cr0::kPg | x86::cr0::kPe;
  ASSERT_TRUE(guest.vcpu().set_state(state));
  auto answer =
      std::async(std::launch::async, [&] { return guest.vcpu().translate(GuestVirt(0x1000)); });
  const auto status = answer.wait_for(std::chrono::seconds(10));
  lock.unlock();
  EXPECT_EQ(status, std::future_status::ready);
  EXPECT_EQ(answer.get(), std::nullopt);
  EXPECT_EQ(registers.reads, 0U);
  lock.lock();
  guest.machine().system_memory().remove(device);
}

}  // namespace
}  // namespace rhea::test
