// SPDX-License-Identifier: GPL-2.0-or-later
// The high precision event timers, programmed as their specification says.
#include "hw/timer/hpet.h"

#include "tests/support/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using hw::Hpet;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr u64 kHpetConfig = 0x10, kHpetStatus = 0x20, kHpetCounter = 0xf0;
constexpr u64 kEnableOnly = 1, kWithLegacy = 3;
constexpr u64 kLevelType = 2, kInterrupts = 4, kPeriods = 8, kSetsValue = 0x40, kOf32Bits = 0x100,
              kByMessage = 0x4000;
constexpr i64 kTick = 10;

class HpetTest : public testing::Test {
 protected:
  explicit HpetTest(Properties more = {}) {
    more.emplace_back("hpet-intcap", "4");
    bench.on_add([this](Device& device) {
      for (const unsigned pin : {0, 2, 8}) device.connect_gpio_out("", pin, bench.isa().irq(pin));
      device.connect_gpio_out("pit-enable", 0, Irq::to<&HpetTest::pit_enabled>(*this, 0));
      hpet = &device;
    });
    bench.add("hpet", more);
  }
  void pit_enabled(unsigned, bool level) { pit = level; }
  u64 read(u64 reg, unsigned size = 8) { return bench.load(Hpet::kBase + reg, size); }
  void write(u64 reg, u64 value, unsigned size = 8) { bench.store(Hpet::kBase + reg, value, size); }
  static u64 config_of(unsigned timer) { return 0x100 + 0x20 * timer; }
  static u64 comparator_of(unsigned timer) { return 0x108 + 0x20 * timer; }
  void pass(i64 ticks) { bench.advance(ticks * kTick); }

  Bench bench;
  Device* hpet{};
  bool pit{true};
};

TEST_F(HpetTest, SaysWhatItCan) {
  EXPECT_EQ(read(0), 0x0098'9680'8086'a201u);
  EXPECT_EQ(read(4, 4), 0x0098'9680u);
  EXPECT_EQ(read(config_of(0)), 0x0000'0004'0000'0030u);
  EXPECT_EQ(read(comparator_of(2)), ~u64{0});
  EXPECT_EQ(read(config_of(3)), 0u);
  EXPECT_EQ(read(comparator_of(3)), 0u);
}

TEST_F(HpetTest, TheCounterRunsWhileItIsEnabled) {
  pass(100);
  EXPECT_EQ(read(kHpetCounter), 0u);
  write(kHpetConfig, kEnableOnly);
  pass(100);
  EXPECT_EQ(read(kHpetCounter), 100u);
  EXPECT_EQ(read(kHpetCounter, 4), 100u);
  write(kHpetConfig, 0);
  pass(100);
  EXPECT_EQ(read(kHpetCounter), 100u);
  write(kHpetCounter, 0xffff'fff0);
  write(kHpetCounter + 4, 7, 4);
  write(kHpetConfig, kEnableOnly);
  pass(0x20);
  EXPECT_EQ(read(kHpetCounter), 0x8'0000'0010u);
}

TEST_F(HpetTest, TheRunningCounterCannotBeWritten) {
  write(kHpetConfig, kEnableOnly);
  write(kHpetCounter, 5000);
  EXPECT_EQ(read(kHpetCounter), 0u);
}

TEST_F(HpetTest, ATimerExpiresWhenTheCounterMeetsIt) {
  write(config_of(2), kInterrupts | 2 << 9);
  write(comparator_of(2), 1000);
  write(kHpetConfig, kEnableOnly);
  pass(999);
  EXPECT_EQ(bench.irq_edges(2), 0u);
  pass(1);
  EXPECT_EQ(bench.irq_edges(2), 1u);
  EXPECT_EQ(read(kHpetStatus), 0u);
  write(comparator_of(2), 3000);
  pass(2000);
  EXPECT_EQ(bench.irq_edges(2), 2u);
}

TEST_F(HpetTest, ATimerThatDoesNotInterruptIsQuiet) {
  write(config_of(2), 2 << 9);
  write(comparator_of(2), 1000);
  write(kHpetConfig, kEnableOnly);
  pass(2000);
  EXPECT_EQ(bench.irq_edges(2), 0u);
}

TEST_F(HpetTest, ALevelStaysUntilItsStatusIsCleared) {
  write(config_of(1), kInterrupts | kLevelType | 2 << 9);
  write(comparator_of(1), 1000);
  write(kHpetConfig, kEnableOnly);
  pass(1000);
  EXPECT_TRUE(bench.irq(2));
  EXPECT_EQ(read(kHpetStatus), 2u);
  write(kHpetStatus, 1, 4);
  EXPECT_TRUE(bench.irq(2));
  write(kHpetStatus, 2, 4);
  EXPECT_FALSE(bench.irq(2));
  EXPECT_EQ(read(kHpetStatus), 0u);
}

TEST_F(HpetTest, ALevelTimerHasAStatusThoughItDoesNotInterrupt) {
  write(config_of(1), kLevelType | 2 << 9);
  write(comparator_of(1), 1000);
  write(kHpetConfig, kEnableOnly);
  pass(1000);
  EXPECT_EQ(read(kHpetStatus), 2u);
  EXPECT_FALSE(bench.irq(2));
  write(config_of(1), kInterrupts | kLevelType | 2 << 9);
  EXPECT_TRUE(bench.irq(2));
}

TEST_F(HpetTest, PeriodsBeginWhereTheyAreSet) {
  write(config_of(0), kInterrupts | kPeriods | kSetsValue | kOf32Bits | 2 << 9);
  write(comparator_of(0), 5000, 4);
  EXPECT_EQ(read(config_of(0)) & kSetsValue, 0u);
  write(comparator_of(0), 2000, 4);
  write(kHpetConfig, kEnableOnly);
  pass(5000);
  EXPECT_EQ(bench.irq_edges(2), 1u);
  EXPECT_EQ(read(comparator_of(0), 4), 7000u);
  pass(1999);
  EXPECT_EQ(bench.irq_edges(2), 1u);
  pass(1);
  EXPECT_EQ(bench.irq_edges(2), 2u);
  pass(20'000);
  EXPECT_EQ(bench.irq_edges(2), 12u);
}

TEST_F(HpetTest, PeriodsOf64BitsAreSetByHalvesToo) {
  write(config_of(0), kInterrupts | kPeriods | kSetsValue | 2 << 9);
  write(comparator_of(0), 0x1000, 4);
  write(comparator_of(0) + 4, 1, 4);
  EXPECT_EQ(read(comparator_of(0)), 0x1'0000'1000u);
  write(config_of(0), kInterrupts | kPeriods | kSetsValue | 2 << 9);
  write(comparator_of(0), 0x2'0000'2000);
  EXPECT_EQ(read(comparator_of(0)), 0x2'0000'2000u);
}

TEST_F(HpetTest, ShortPeriodsDoNotOccupyTheHost) {
  write(config_of(0), kInterrupts | kPeriods | kSetsValue | 2 << 9);
  write(comparator_of(0), 1);
  write(kHpetConfig, kEnableOnly);
  bench.advance(1'000'000);
  EXPECT_LE(bench.irq_edges(2), 101u);
  EXPECT_GE(bench.irq_edges(2), 50u);
}

TEST_F(HpetTest, ALevelWithoutInterruptsDoesNotOccupyTheHostEither) {
  write(config_of(0), kLevelType | kPeriods | kSetsValue | 2 << 9);
  write(comparator_of(0), 1);
  write(kHpetConfig, kEnableOnly);
  bench.advance(100'000'000);
  EXPECT_EQ(read(kHpetStatus), 1u);
}

TEST_F(HpetTest, APeriodOfNothingIsNone) {
  write(config_of(0), kInterrupts | kPeriods | 2 << 9);
  write(comparator_of(0), 0);
  write(kHpetConfig, kEnableOnly);
  pass(100'000);
  EXPECT_EQ(read(comparator_of(0)), ~u64{0});
}

TEST_F(HpetTest, A32BitTimerLooksAtTheLowerHalf) {
  write(kHpetCounter, 0x5'ffff'ff00);
  write(config_of(2), kInterrupts | kOf32Bits | 2 << 9);
  write(comparator_of(2), 0x100);
  EXPECT_EQ(read(comparator_of(2)), 0x100u);
  write(kHpetConfig, kEnableOnly);
  pass(0x1ff);
  EXPECT_EQ(bench.irq_edges(2), 0u);
  pass(1);
  EXPECT_EQ(bench.irq_edges(2), 1u);
}

TEST_F(HpetTest, ATimeThatWasMissedByLittleIsNow) {
  write(kHpetConfig, kEnableOnly);
  pass(5000);
  write(config_of(2), kInterrupts | kOf32Bits | 2 << 9);
  EXPECT_EQ(bench.irq_edges(2), 0u);
  write(comparator_of(2), 4990, 4);
  EXPECT_EQ(bench.irq_edges(2), 1u);
  write(comparator_of(2), 0xffff'ffff, 4);
  EXPECT_EQ(bench.irq_edges(2), 1u);
}

TEST_F(HpetTest, AnEdgeFallsWithTheNextRise) {
  write(config_of(2), kInterrupts | kPeriods | kSetsValue | 2 << 9);
  write(comparator_of(2), 2000);
  write(kHpetConfig, kEnableOnly);
  pass(2000);
  EXPECT_TRUE(bench.irq(2));
  pass(2000);
  EXPECT_EQ(bench.irq_edges(2), 2u);
  EXPECT_TRUE(bench.irq(2));
  write(config_of(2), 2 << 9);
  EXPECT_FALSE(bench.irq(2));
}

TEST_F(HpetTest, APinThatIsNotOfferedIsNotTaken) {
  write(config_of(2), 2 << 9);
  write(config_of(2), 5 << 9);
  EXPECT_EQ(read(config_of(2)) >> 9 & 0x1f, 2u);
}

TEST_F(HpetTest, TheTimerAndTheClockPassThrough) {
  EXPECT_TRUE(pit);
  hpet->gpio_in("legacy", Hpet::kFromPit).set(true);
  hpet->gpio_in("legacy", Hpet::kFromRtc).set(true);
  EXPECT_TRUE(bench.irq(0));
  EXPECT_TRUE(bench.irq(8));
  hpet->gpio_in("legacy", Hpet::kFromPit).set(false);
  EXPECT_FALSE(bench.irq(0));
}

TEST_F(HpetTest, LegacyReplacementTakesTheirPlaces) {
  hpet->gpio_in("legacy", Hpet::kFromPit).set(true);
  hpet->gpio_in("legacy", Hpet::kFromRtc).set(true);
  write(config_of(0), kInterrupts);
  write(config_of(1), kInterrupts);
  write(comparator_of(0), 1000);
  write(comparator_of(1), 2000);
  write(kHpetConfig, kWithLegacy);
  EXPECT_FALSE(pit);
  EXPECT_FALSE(bench.irq(0));
  EXPECT_FALSE(bench.irq(8));
  pass(1000);
  EXPECT_TRUE(bench.irq(0));
  EXPECT_FALSE(bench.irq(8));
  pass(1000);
  EXPECT_TRUE(bench.irq(8));
  hpet->gpio_in("legacy", Hpet::kFromRtc).set(false);
  EXPECT_TRUE(bench.irq(8));
  write(kHpetConfig, kEnableOnly);
  EXPECT_TRUE(pit);
  EXPECT_TRUE(bench.irq(0));
  EXPECT_FALSE(bench.irq(8));
}

TEST_F(HpetTest, WithoutTheirPropertyThereAreNoMessages) {
  write(config_of(0), kByMessage);
  write(0x110, 0xfee0'0000'0000'0031);
  EXPECT_EQ(read(config_of(0)) & 0xffff, 0x0030u);
  EXPECT_EQ(read(0x110), 0u);
}

TEST_F(HpetTest, ResetStopsAndLowersEverything) {
  write(config_of(0), kInterrupts | kLevelType);
  write(comparator_of(0), 1000);
  write(kHpetConfig, kWithLegacy);
  pass(1000);
  ASSERT_TRUE(bench.irq(0));
  bench.reset();
  EXPECT_FALSE(bench.irq(0));
  EXPECT_TRUE(pit);
  EXPECT_EQ(read(kHpetStatus), 0u);
  EXPECT_EQ(read(kHpetCounter), 0u);
  EXPECT_EQ(read(config_of(0)), 0x0000'0004'0000'0030u);
}

TEST_F(HpetTest, ASnapshotHoldsTheCounterAndWhatIsDue) {
  write(config_of(0), kInterrupts | kPeriods | kSetsValue | 2 << 9);
  write(comparator_of(0), 3000);
  write(kHpetConfig, kWithLegacy);
  pass(7000);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(bench.save(), saved);
  EXPECT_FALSE(pit);
  EXPECT_EQ(read(kHpetCounter), 7000u);
  const unsigned before = bench.irq_edges(0);
  pass(2000);
  EXPECT_EQ(bench.irq_edges(0), before + 1);
}

class HpetMessages : public HpetTest {
 protected:
  HpetMessages() : HpetTest({{"msi", "on"}, {"timers", "5"}}) {}
};

TEST_F(HpetMessages, GoOutInsteadOfLines) {
  EXPECT_EQ(read(0) >> 8 & 0x1f, 4u);
  EXPECT_EQ(read(config_of(4)) & 0xffff, 0x8030u);
  write(0x110, 0xfee0'1000'0000'0031);
  write(config_of(0), kInterrupts | kByMessage | 2 << 9);
  write(comparator_of(0), 1000);
  write(kHpetConfig, kEnableOnly);
  pass(1000);
  EXPECT_THAT(bench.messages(), ElementsAre(MsiMessage{.address = 0xfee0'1000, .data = 0x31}));
  EXPECT_EQ(bench.irq_edges(2), 0u);
}

TEST_F(HpetMessages, AnAddressOfNoProcessorIsIgnored) {
  write(0x110, 0x0000'1000'0000'0031);
  write(config_of(0), kInterrupts | kByMessage);
  write(comparator_of(0), 1000);
  write(kHpetConfig, kEnableOnly);
  pass(1000);
  EXPECT_THAT(bench.messages(), IsEmpty());
}

TEST(HpetProperties, ThereAreThreeToTwentyFourTimers) {
  Bench bench;
  EXPECT_FALSE(bench.try_add("hpet", {{"timers", "2"}}));
  EXPECT_FALSE(bench.try_add("hpet", {{"timers", "25"}}));
  EXPECT_TRUE(bench.try_add("hpet", {{"timers", "24"}}));
}

}  // namespace
}  // namespace rhea::test
