// SPDX-License-Identifier: GPL-2.0-or-later
// The I/O APIC.
#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr u64 kBase = 0xfec0'0000;
constexpr u32 kMasked = 1u << 16;
constexpr u32 kLevel = 1u << 15;
constexpr u32 kRemoteIrr = 1u << 14;
constexpr u32 kLogical = 1u << 11;

class IoapicTest : public testing::Test {
 protected:
  IoapicTest() : device_(bench_.add("ioapic")) {}

  u32 read(u8 index) {
    bench_.store(kBase, index, 4);
    return static_cast<u32>(bench_.load(kBase + 0x10, 4));
  }
  void write(u8 index, u32 value) {
    bench_.store(kBase, index, 4);
    bench_.store(kBase + 0x10, value, 4);
  }
  u32 low(unsigned pin) { return read(static_cast<u8>(0x10 + 2 * pin)); }
  void set_entry(unsigned pin, u32 low, u32 high = 0) {
    write(static_cast<u8>(0x11 + 2 * pin), high);
    write(static_cast<u8>(0x10 + 2 * pin), low);
  }
  void set(unsigned pin, bool level) { device_.gpio_in("", pin).set(level); }
  void eoi(u8 vector) { bench_.machine().interrupts.ioapic->end_of_interrupt(vector); }
  std::vector<MsiMessage>& sent() { return bench_.messages(); }

  Bench bench_;
  Device& device_;
};

TEST_F(IoapicTest, HasTheDatasheetsResetValues) {
  EXPECT_EQ(read(0x00), 0u);
  EXPECT_EQ(read(0x01), 0x00170020u);
  EXPECT_EQ(read(0x02), 0u);
  EXPECT_EQ(read(0x10), kMasked);
  EXPECT_EQ(read(0x11), 0u);
  EXPECT_EQ(read(0x3e), kMasked);
  EXPECT_EQ(read(0x40), 0u);
}

TEST_F(IoapicTest, TheSelectRegisterReadsBack) {
  bench_.store(kBase, 0x3f, 4);
  EXPECT_EQ(bench_.load(kBase, 4), 0x3fu);
}

TEST_F(IoapicTest, TheIdHasFourBits) {
  write(0x00, 0xffff'ffff);
  EXPECT_EQ(read(0x00), 0x0f00'0000u);
  EXPECT_EQ(read(0x02), 0x0f00'0000u);
}

TEST_F(IoapicTest, TheVersionCannotBeWritten) {
  write(0x01, 0xffff'ffff);
  EXPECT_EQ(read(0x01), 0x00170020u);
}

TEST_F(IoapicTest, DeliveryStatusAndRemoteIrrCannotBeWritten) {
  write(0x10, 0xffff'ffff);
  EXPECT_EQ(read(0x10), 0x0001'afffu);
}

TEST_F(IoapicTest, TheWindowTakesWholeWordsOnly) {
  bench_.store(kBase, 0x10, 4);
  bench_.store(kBase + 0x10, 0x55, 1);
  EXPECT_EQ(read(0x10), kMasked);
}

TEST_F(IoapicTest, AnEdgeIsSentOnce) {
  set_entry(4, 0x34, 0x0100'0000);
  set(4, true);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].address, 0xfee0'1000u);
  EXPECT_EQ(sent()[0].data, 0x34u);
  set(4, true);
  set(4, false);
  EXPECT_EQ(sent().size(), 1u);
  set(4, true);
  EXPECT_EQ(sent().size(), 2u);
}

TEST_F(IoapicTest, AnEdgeAtAMaskedPinIsLost) {
  set_entry(4, 0x34 | kMasked);
  set(4, true);
  set_entry(4, 0x34);
  EXPECT_TRUE(sent().empty());
}

TEST_F(IoapicTest, ALevelAtAMaskedPinWaits) {
  set_entry(10, 0x50 | kLevel | kMasked);
  set(10, true);
  EXPECT_TRUE(sent().empty());
  set_entry(10, 0x50 | kLevel);
  EXPECT_EQ(sent().size(), 1u);
}

TEST_F(IoapicTest, ALevelSetsRemoteIrrAndIsNotSentAgain) {
  set_entry(10, 0x50 | kLevel);
  set(10, true);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].data, 0xc050u);
  EXPECT_EQ(low(10), 0x50 | kLevel | kRemoteIrr);
  set(10, false);
  set(10, true);
  EXPECT_EQ(sent().size(), 1u);
}

TEST_F(IoapicTest, AtTheEndOfInterruptALevelThatStaysIsSentAgain) {
  set_entry(10, 0x50 | kLevel);
  set(10, true);
  eoi(0x50);
  EXPECT_EQ(sent().size(), 2u);
  EXPECT_NE(low(10) & kRemoteIrr, 0u);
  set(10, false);
  eoi(0x50);
  EXPECT_EQ(sent().size(), 2u);
  EXPECT_EQ(low(10) & kRemoteIrr, 0u);
}

TEST_F(IoapicTest, TheEndOfAnotherVectorChangesNothing) {
  set_entry(10, 0x50 | kLevel);
  set(10, true);
  eoi(0x51);
  EXPECT_NE(low(10) & kRemoteIrr, 0u);
  EXPECT_EQ(sent().size(), 1u);
}

TEST_F(IoapicTest, ItsEoiRegisterEndsAnInterrupt) {
  set_entry(10, 0x50 | kLevel);
  set(10, true);
  set(10, false);
  bench_.store(kBase + 0x40, 0x50, 4);
  EXPECT_EQ(low(10) & kRemoteIrr, 0u);
}

TEST_F(IoapicTest, SwitchingToEdgeClearsRemoteIrr) {
  set_entry(10, 0x50 | kLevel);
  set(10, true);
  write(0x10 + 20, 0x50 | kMasked);
  EXPECT_EQ(low(10), 0x50 | kMasked);
}

TEST_F(IoapicTest, ALogicalDestinationIsInTheAddress) {
  set_entry(1, 0x41 | kLogical, 0xff00'0000);
  set(1, true);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].address, 0xfeef'f004u);
}

TEST_F(IoapicTest, TheDeliveryModeIsInTheData) {
  set_entry(1, 0x141);
  set_entry(2, 0x400);
  set_entry(3, 0x700);
  set(1, true);
  set(2, true);
  set(3, true);
  ASSERT_EQ(sent().size(), 3u);
  EXPECT_EQ(sent()[0].data, 0x141u);
  EXPECT_EQ(sent()[1].data, 0x400u);
  EXPECT_EQ(sent()[2].data, 0x700u);
}

TEST_F(IoapicTest, AnNmiIsAnEdgeWhateverTheTriggerSays) {
  set_entry(2, 0x400 | kLevel);
  set(2, true);
  EXPECT_EQ(low(2) & kRemoteIrr, 0u);
  set(2, false);
  set(2, true);
  ASSERT_EQ(sent().size(), 2u);
  EXPECT_EQ(sent()[0].data, 0x400u);
}

TEST_F(IoapicTest, TellsOfEveryRouteThatChanges) {
  std::vector<unsigned> pins;
  MsiMessage last;
  bool last_masked = true;
  bool last_level = false;
  bench_.machine().interrupts.route_changed = [&](unsigned pin, const MsiMessage& message,
                                                  bool masked, bool level) {
    pins.push_back(pin);
    last = message;
    last_masked = masked;
    last_level = level;
  };
  set_entry(10, 0x50 | kLevel, 0x0200'0000);
  EXPECT_EQ(pins, (std::vector<unsigned>{10, 10}));
  EXPECT_EQ(last, (MsiMessage{.address = 0xfee0'2000, .data = 0xc050}));
  EXPECT_FALSE(last_masked);
  EXPECT_TRUE(last_level);
}

TEST_F(IoapicTest, ResetMasksEveryPin) {
  set_entry(10, 0x50 | kLevel);
  set(10, true);
  bench_.reset();
  EXPECT_EQ(low(10), kMasked);
  EXPECT_EQ(read(0x00), 0u);
}

TEST_F(IoapicTest, ALevelThatStaysOverAResetIsSeenAgain) {
  set(10, true);
  bench_.reset();
  set_entry(10, 0x50 | kLevel);
  EXPECT_EQ(sent().size(), 1u);
}

TEST_F(IoapicTest, ASnapshotWithAnInterruptInServiceGoesOn) {
  set_entry(10, 0x50 | kLevel);
  set(10, true);
  const auto saved = bench_.save();
  bench_.reset();
  sent().clear();

  ASSERT_TRUE(bench_.load(saved));

  EXPECT_TRUE(sent().empty());
  eoi(0x50);
  EXPECT_EQ(sent().size(), 1u);
}

TEST(IoapicVersion, Version11HasNoEoiRegister) {
  Bench bench;
  Device& device = bench.add("ioapic", {{"version", "17"}});
  bench.store(kBase, 0x01, 4);
  EXPECT_EQ(bench.load(kBase + 0x10, 4), 0x00170011u);
  bench.store(kBase, 0x10, 4);
  bench.store(kBase + 0x10, 0x50 | kLevel, 4);
  device.gpio_in("", 0).set(true);
  bench.store(kBase + 0x40, 0x50, 4);
  EXPECT_EQ(bench.load(kBase + 0x10, 4), 0x50 | kLevel | kRemoteIrr);
}

TEST(IoapicVersion, OtherVersionsAreRefused) {
  Bench bench;
  const auto result = bench.try_add("ioapic", {{"version", "0x12"}});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message().find("version"), std::string::npos);
}

}  // namespace
}  // namespace rhea::test
