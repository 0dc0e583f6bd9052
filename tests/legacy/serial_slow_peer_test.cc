// SPDX-License-Identifier: GPL-2.0-or-later
// The 16550A before a peer that takes its time.
#include "tests/legacy/serial_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

/// A peer that takes only so many bytes.
class SlowChardev final : public Chardev {
 public:
  static constexpr std::string_view kName = "chardev-slow";
  std::size_t write(std::span<const u8> data) override {
    const std::size_t count = std::min(data.size(), room);
    written.append(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
    room -= count;
    return count;
  }
  std::string filename() const override { return "slow"; }
  void take(std::size_t bytes) {
    room = bytes;
    front_end().can_send();
  }
  std::size_t room{0};
  std::string written;
};
const RegisterType<SlowChardev> slow_registration;

class SlowSerialTest : public SerialBase {
 protected:
  SlowSerialTest()
      : chardev_(
            bench_.machine().container("/chardevs").add_child("slow0", create<SlowChardev>())) {
    bench_.add("isa-serial", {{"chardev", "slow0"}});
  }

  SlowChardev& chardev_;
};

TEST_F(SlowSerialTest, TheTransmitterIsFullUntilThePeerTakesIt) {
  write(kIer, 0x02);
  read(kIir);
  write(kData, 'a');
  EXPECT_EQ(read(kLsr), 0x00);
  EXPECT_FALSE(bench_.irq(4));
  chardev_.take(1);
  EXPECT_EQ(read(kLsr), 0x60);
  EXPECT_TRUE(bench_.irq(4));
  EXPECT_EQ(chardev_.written, "a");
}

TEST_F(SlowSerialTest, WhatWaitsComesBackWhereTheLoopIsClosed) {
  write(kData, 'a');
  write(kMcr, 0x10);
  EXPECT_EQ(read(kLsr), 0x61);
  EXPECT_EQ(read(kData), 'a');
  chardev_.take(1);
  EXPECT_EQ(chardev_.written, "");
}

TEST_F(SlowSerialTest, SixteenCharactersWaitInTheFifo) {
  write(kFcr, 0x07);
  for (char c = 'a'; c < 'a' + 20; ++c) write(kData, static_cast<u8>(c));
  chardev_.take(10);
  EXPECT_EQ(read(kLsr), 0x00);
  chardev_.take(10);
  EXPECT_EQ(read(kLsr), 0x60);
  EXPECT_EQ(chardev_.written, "abcdefghijklmnop");
}

TEST_F(SlowSerialTest, ClearingTheTransmitterDropsWhatWaits) {
  write(kFcr, 0x07);
  write(kData, 'a');
  write(kFcr, 0x05);
  EXPECT_EQ(read(kLsr), 0x60);
  chardev_.take(10);
  EXPECT_EQ(chardev_.written, "");
}

TEST_F(SlowSerialTest, ASnapshotSendsTheRest) {
  write(kFcr, 0x07);
  write(kData, 'a');
  write(kData, 'b');
  const auto saved = bench_.save();
  bench_.reset();
  chardev_.room = 1;
  ASSERT_TRUE(bench_.load(saved));
  EXPECT_EQ(chardev_.written, "a");
  chardev_.take(1);
  EXPECT_EQ(chardev_.written, "ab");
}

}  // namespace
}  // namespace rhea::test
