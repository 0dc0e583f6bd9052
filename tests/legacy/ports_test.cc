// SPDX-License-Identifier: GPL-2.0-or-later
// Port 0x92 and the debug ports.
#include "rhea/softmmu/a20.h"
#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

class Port92Test : public testing::Test {
 protected:
  Port92Test() {
    bench_.add("port92");
    bench_.machine().on_event([this](MachineEvent event, ShutdownCause cause) {
      if (event == MachineEvent::Reset && cause == ShutdownCause::GuestReset) ++resets_;
    });
  }
  A20Gate& a20() { return bench_.machine().service<A20Gate>(); }
  Bench bench_;
  int resets_{0};
};

TEST_F(Port92Test, ReadsZeroAfterReset) {
  bench_.outb(0x92, 0x02);
  bench_.reset();
  EXPECT_EQ(bench_.inb(0x92), 0x00);
}

TEST_F(Port92Test, Bit1OpensAndClosesA20AndReadsBack) {
  bench_.outb(0x92, 0x02);
  EXPECT_EQ(bench_.inb(0x92), 0x02);
  EXPECT_TRUE(a20().open());
  bench_.outb(0x92, 0x00);
  EXPECT_FALSE(a20().open());
}

TEST_F(Port92Test, SetsA20AlsoWithoutAChangeOfItsOwn) {
  a20().set(true);
  bench_.outb(0x92, 0x00);
  EXPECT_FALSE(a20().open());
}

TEST_F(Port92Test, OtherBitsReadAsZero) {
  bench_.outb(0x92, 0xfc);
  EXPECT_EQ(bench_.inb(0x92), 0x00);
}

TEST_F(Port92Test, ARisingBit0ResetsTheMachine) {
  bench_.outb(0x92, 0x01);
  EXPECT_TRUE(bench_.run_until([this] { return resets_ == 1; }));
}

TEST_F(Port92Test, ASnapshotKeepsTheValue) {
  bench_.outb(0x92, 0x02);
  const auto saved = bench_.save();
  bench_.reset();
  ASSERT_TRUE(bench_.load(saved));
  EXPECT_EQ(bench_.inb(0x92), 0x02);
}

TEST(DebugExit, EndsTheMachineWithItsCode) {
  Bench bench;
  bench.add("isa-debug-exit");
  bench.outb(0x501, 0x21);
  EXPECT_EQ(bench.machine().exit_code(), 0x43);
}

TEST(DebugExit, TheCodeFitsAnExitStatus) {
  Bench bench;
  bench.add("isa-debug-exit", {{"iobase", "0xf4"}, {"iosize", "4"}});
  bench.outl(0xf4, 0xffff'ff80);
  EXPECT_EQ(bench.machine().exit_code(), 0x01);
}

TEST(DebugExit, ReadsAsZero) {
  Bench bench;
  bench.add("isa-debug-exit");
  EXPECT_EQ(bench.inb(0x501), 0);
  EXPECT_EQ(bench.machine().exit_code(), std::nullopt);
}

TEST(DebugExit, ItsSizeIsChecked) {
  Bench bench;
  EXPECT_FALSE(bench.try_add("isa-debug-exit", {{"iosize", "5"}}));
}

TEST(DebugConsole, WritesGoToTheChardev) {
  Bench bench;
  FakeChardev& chardev = FakeChardev::make(bench, "fake0");
  bench.add("isa-debugcon", {{"chardev", "fake0"}});
  bench.outb(0xe9, 'h');
  bench.outb(0xe9, 'i');
  EXPECT_EQ(chardev.written, "hi");
}

TEST(DebugConsole, ReadsGiveTheReadbackValue) {
  Bench bench;
  bench.add("isa-debugcon", {{"iobase", "0x402"}, {"readback", "0x55"}});
  EXPECT_EQ(bench.inb(0x402), 0x55);
}

TEST(DebugConsole, WithoutAChardevBytesAreDropped) {
  Bench bench;
  bench.add("isa-debugcon");
  bench.outb(0xe9, 'x');
  EXPECT_EQ(bench.inb(0xe9), 0xe9);
}

TEST(DebugConsole, BytesWaitForAPeerThatDoesNotRead) {
  Bench bench;
  FakeChardev& chardev = FakeChardev::make(bench, "fake0");
  bench.add("isa-debugcon", {{"chardev", "fake0"}});
  chardev.room = 1;
  for (const char c : std::string_view("hello")) bench.outb(0xe9, static_cast<u8>(c));
  EXPECT_EQ(chardev.written, "h");
  chardev.make_room(2);
  EXPECT_EQ(chardev.written, "hel");
  chardev.make_room(100);
  EXPECT_EQ(chardev.written, "hello");
}

TEST(DebugConsole, WhatWaitsIsBounded) {
  Bench bench;
  FakeChardev& chardev = FakeChardev::make(bench, "fake0");
  bench.add("isa-debugcon", {{"chardev", "fake0"}});
  chardev.room = 0;
  for (int i = 0; i < 70'000; ++i) bench.outb(0xe9, 'x');
  chardev.make_room(1 << 20);
  EXPECT_EQ(chardev.written.size(), 64 * KiB);
}

TEST(DebugConsole, AChardevHasOneUser) {
  Bench bench;
  FakeChardev::make(bench, "fake0");
  bench.add("isa-debugcon", {{"chardev", "fake0"}});
  const auto second = bench.try_add("isa-debugcon", {{"iobase", "0x402"}, {"chardev", "fake0"}});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message().find("fake0"), std::string::npos);
}

}  // namespace
}  // namespace rhea::test
