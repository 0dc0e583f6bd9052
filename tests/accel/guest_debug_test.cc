// SPDX-License-Identifier: GPL-2.0-or-later
// A debugger's breakpoints and watchpoints on KVM.
#include "accel/kvm/host_cpu.h"
#include "tests/accel/guest.h"

#include <algorithm>

namespace rhea::test {
namespace {

using Why = x86::DebugStop::Why;

constexpr u64 kCounter = 0x3000;  // what guests/loop.asm counts in

class KvmDebug : public testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_KVM(); }
  static bool stops(Guest& guest) {
    return guest.wait([&] { return guest.machine().run_state() == RunState::Debug; });
  }
  /// More than there are debug registers, none of which the guest meets.
  static x86::DebugStops elsewhere() { return {.code = {0x1800, 0x1801, 0x1802, 0x1803, 0x1804}}; }
};

/// Without VT-x and AMD-V, KVM emulates its guests: it watches no memory, and their INT3 is theirs.
#define NEEDS_HARDWARE()                                                          \
  if (!kvm::has_hardware_virtualization())                                        \
  GTEST_SKIP() << "a host without hardware virtualisation sees debug registers' " \
                  "breakpoints alone"

TEST_F(KvmDebug, ABreakpointStopsBeforeItsInstruction) {
  Guest guest;
  guest.prepare_real(GUEST(loop));
  ASSERT_TRUE(guest.vcpu().set_debug_stops({.code = {Guest::kCode + 5}}));
  guest.start();
  ASSERT_TRUE(stops(guest));
  EXPECT_EQ(guest.state().rip, Guest::kCode + 5);
  EXPECT_EQ(guest.peek<u32>(kCounter), 1U);
  const auto stop = guest.vcpu().take_debug_stop();
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->why, Why::Code);
  EXPECT_EQ(stop->address, Guest::kCode + 5);
  EXPECT_FALSE(guest.vcpu().take_debug_stop().has_value());
}

TEST_F(KvmDebug, BreakpointsBeyondTheRegistersAreInstructions) {
  NEEDS_HARDWARE();
  Guest guest;
  guest.prepare_real(GUEST(loop));
  x86::DebugStops stops_wanted = elsewhere();
  stops_wanted.code.push_back(Guest::kCode + 5);
  ASSERT_TRUE(guest.vcpu().set_debug_stops(stops_wanted));
  EXPECT_EQ(guest.peek<u8>(Guest::kCode + 5), 0xcc);
  guest.start();
  ASSERT_TRUE(stops(guest));
  EXPECT_EQ(guest.state().rip, Guest::kCode + 5);
  EXPECT_EQ(guest.vcpu().take_debug_stop()->why, Why::Code);
  ASSERT_TRUE(guest.vcpu().set_debug_stops({}));
  EXPECT_NE(guest.peek<u8>(Guest::kCode + 5), 0xcc);
  guest.start();
  EXPECT_TRUE(guest.wait([&] { return guest.peek<u32>(kCounter) > 100; }));
}

TEST_F(KvmDebug, BreakpointsThatCannotBeAreRefused) {
  if (kvm::has_hardware_virtualization()) GTEST_SKIP() << "with hardware virtualisation they can";
  Guest guest;
  guest.prepare_real(GUEST(loop));
  EXPECT_FALSE(guest.vcpu().set_debug_stops(elsewhere()));
  EXPECT_EQ(guest.peek<u8>(0x1804), 0);
}

TEST_F(KvmDebug, AWatchpointStopsBehindTheWrite) {
  NEEDS_HARDWARE();
  Guest guest;
  guest.prepare_real(GUEST(loop));
  const x86::WatchedRange range{
      .first = kCounter, .last = kCounter + 3, .reads = false, .writes = true};
  ASSERT_TRUE(guest.vcpu().set_debug_stops({.watches = {range}}));
  guest.start();
  ASSERT_TRUE(stops(guest));
  EXPECT_EQ(guest.state().rip, Guest::kCode + 5);
  EXPECT_EQ(guest.peek<u32>(kCounter), 1U);
  const auto stop = guest.vcpu().take_debug_stop();
  ASSERT_TRUE(stop.has_value());
  EXPECT_EQ(stop->why, Why::Watch);
  EXPECT_EQ(stop->address, kCounter);
  EXPECT_EQ(stop->watch, range);
}

TEST_F(KvmDebug, WhatDoesNotFitIsRefusedAndNothingChanges) {
  Guest guest;
  guest.prepare_real(GUEST(loop));
  const x86::WatchedRange wide{.first = 0x3001, .last = 0x3020, .reads = true, .writes = true};
  const x86::WatchedRange reads{.first = 0x3000, .last = 0x3000, .reads = true, .writes = false};
  EXPECT_FALSE(guest.vcpu().set_debug_stops({.watches = {wide}}));
  EXPECT_FALSE(guest.vcpu().set_debug_stops({.watches = {reads}}));
  EXPECT_FALSE(guest.vcpu().set_debug_stops(
      {.code = {0x1000'0000'0000, 1ull << 45, 1ull << 46, 1ull << 40}, .watches = {wide}}));
  guest.start();
  EXPECT_TRUE(guest.wait([&] { return guest.peek<u32>(kCounter) > 100; }));
  EXPECT_TRUE(guest.machine().running());
}

TEST_F(KvmDebug, ABreakpointInstructionOfTheGuestIsTheGuests) {
  NEEDS_HARDWARE();
  constexpr u8 kCode[] = {
      0xcc,        // int3
      0xeb, 0xfd,  // jmp $-1
  };
  constexpr u8 kHandler[] = {
      0xba, 0x00, 0x06,  // mov dx, 0x600
      0xee,              // out dx, al
      0xcf,              // iret
  };
  constexpr u8 kVector[] = {0x00, 0x20, 0x00, 0x00};
  Guest guest;
  guest.prepare_real(kCode);
  std::ranges::copy(kHandler, guest.memory() + 0x2000);
  std::ranges::copy(kVector, guest.memory() + 12);
  ASSERT_TRUE(guest.vcpu().set_debug_stops(elsewhere()));
  guest.start();
  EXPECT_TRUE(guest.wait_done());
  EXPECT_TRUE(guest.machine().running());
}

TEST_F(KvmDebug, BreakpointInstructionsGoWithTheLastProcessorThatWantsThem) {
  NEEDS_HARDWARE();
  GuestOptions options;
  options.cpus = 2;
  Guest guest(options);
  guest.prepare_real(GUEST(loop));
  x86::DebugStops wanted = elsewhere();
  ASSERT_TRUE(guest.vcpu(0).set_debug_stops(wanted));
  ASSERT_TRUE(guest.vcpu(1).set_debug_stops(wanted));
  EXPECT_EQ(guest.peek<u8>(0x1804), 0xcc);
  ASSERT_TRUE(guest.vcpu(0).set_debug_stops({}));
  EXPECT_EQ(guest.peek<u8>(0x1804), 0xcc);
  ASSERT_TRUE(guest.vcpu(1).set_debug_stops({}));
  EXPECT_EQ(guest.peek<u8>(0x1804), 0);
}

}  // namespace
}  // namespace rhea::test
