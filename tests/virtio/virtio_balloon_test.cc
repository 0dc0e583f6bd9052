// SPDX-License-Identifier: GPL-2.0-or-later
// The balloon: what becomes of pages, what driver and host tell each other.
#include "hw/virtio/virtio_balloon.h"

#include "rhea/softmmu/tool_events.h"
#include "tests/virtio/pci_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace rhea::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

namespace bits = hw::virtio_balloon;

constexpr u64 kPage = 4096, kList = 0x20'0000, kSpare = 0x40'0000, kNumbers = 0x30'0000;
constexpr u64 kStatsBit = hw::virtio::bit(bits::kStatistics),
              kPoisonBit = hw::virtio::bit(bits::kPagePoison),
              kReportBit = hw::virtio::bit(bits::kReporting);
constexpr u64 kDriverConfig = 0x2000;

class VirtioBalloonTest : public testing::Test {
 protected:
  VirtioBalloonTest() {
    bench.machine().config.ram_size = 16 * MiB;
    bench.machine().service<ToolEvents>().observe(
        [this](const std::string& name, const ToolEvents::Data& data) {
          told.push_back(name + " " + to_text(data[0].second));
        });
  }
  void use(const Properties& properties = {}, u64 features = kVersion1 | kStatsBit) {
    driver.emplace(bench, "virtio-balloon-pci", properties);
    begin(features);
  }
  void begin(u64 features) {
    ASSERT_TRUE(driver->negotiate(features));
    inflating = queue(bits::kInflateQueue, 0x4'0000, features);
    deflating = queue(bits::kDeflateQueue, 0x5'0000, features);
    statistics = queue(bits::kStatisticsQueue, 0x6'0000, features);
    if ((features & kReportBit) != 0) reporting = queue(bits::kReportQueue, 0x7'0000, features);
    driver->drive();
  }
  std::unique_ptr<RingDriver> queue(u16 number, u64 at, u64 features) {
    const RingPlace place{
        .descriptors = at, .driver = at + 0x4000, .device = at + 0x8000, .entries = 32};
    driver->enable_queue(number, place);
    if ((features & kPacked) != 0)
      return std::make_unique<PackedDriver>(bench.machine().memory(), place);
    return std::make_unique<SplitDriver>(bench.machine().memory(), place);
  }
  void fill(u64 page) { bench.write(page * kPage, std::vector<u8>(kPage, 0xaa)); }
  std::vector<u8> contents(u64 page) { return bench.read(page * kPage, kPage); }
  /// Hands pages into the balloon.
  u16 inflate(const std::vector<u32>& pages) {
    for (std::size_t n = 0; n < pages.size(); ++n) bench.store(kList + 4 * n, pages[n], 4);
    const u16 id = inflating->add({{kList, static_cast<u32>(4 * pages.size())}});
    driver->notify(bits::kInflateQueue);
    return id;
  }
  /// A buffer of statistics: one of them, and one that there is not.
  u16 say(u16 tag, u64 value) {
    bench.store(kNumbers, tag, 2);
    bench.store(kNumbers + 2, value, 8);
    bench.store(kNumbers + 10, 99, 2);
    bench.store(kNumbers + 12, 1, 8);
    const u16 id = statistics->add({{kNumbers, 25}});
    driver->notify(bits::kStatisticsQueue);
    return id;
  }
  std::string property(std::string_view name) { return to_text(*driver->device().get(name)); }
  u64 config(u64 at) { return driver->modern(kDriverConfig + at, 4); }
  hw::MemoryBalloon& balloon() { return *bench.machine().service<hw::BalloonPlace>().balloon; }
  void turn() { bench.machine().loop().iterate(false); }

  Bench bench;
  std::optional<VirtioPciDriver> driver;
  std::unique_ptr<RingDriver> inflating, deflating, statistics, reporting;
  std::vector<std::string> told;
};

TEST_F(VirtioBalloonTest, PagesOfTheBalloonGoBackToTheHost) {
  use();
  fill(0x400);
  fill(0x401);
  fill(0x402);
  const u16 id = inflate({0x402, 0x400});
  EXPECT_EQ(inflating->take_used(), (UsedBuffer{.id = id, .written = 0}));
  EXPECT_THAT(contents(0x400), Each(0));
  EXPECT_THAT(contents(0x401), Each(0xaa)) << "which was not handed in";
  EXPECT_THAT(contents(0x402), Each(0));
  EXPECT_TRUE(driver->interrupted());
}

TEST_F(VirtioBalloonTest, ThoseOfAPackedRingDo) {
  use({{"packed", "on"}}, kVersion1 | kStatsBit | kPacked);
  fill(0x400);
  const u16 id = inflate({0x400});
  EXPECT_EQ(inflating->take_used(), (UsedBuffer{.id = id, .written = 0}));
  EXPECT_THAT(contents(0x400), Each(0));
}

TEST_F(VirtioBalloonTest, WhatIsWrittenThereAfterwardsStays) {
  use();
  fill(0x400);
  inflate({0x400});
  fill(0x400);
  EXPECT_THAT(contents(0x400), Each(0xaa));
}

TEST_F(VirtioBalloonTest, PagesThatAreNoMemoryAreLeftAlone) {
  use();
  const u16 id = inflate({0xffff'ffff, VirtioPciDriver::kModern >> 12, 0x1000, 0x400});
  EXPECT_EQ(inflating->take_used(), (UsedBuffer{.id = id, .written = 0}));
  EXPECT_EQ(driver->status() & hw::VirtioCore::kNeedsReset, 0);
}

TEST_F(VirtioBalloonTest, ALongListTakesSeveralTurns) {
  use();
  fill(0x400);
  std::vector<u32> pages(5000, 0xf00);
  pages.back() = 0x400;
  inflate(pages);
  EXPECT_EQ(inflating->take_used(), std::nullopt);
  EXPECT_THAT(contents(0x400), Each(0xaa));
  turn();
  EXPECT_NE(inflating->take_used(), std::nullopt);
  EXPECT_THAT(contents(0x400), Each(0));
}

TEST_F(VirtioBalloonTest, TheRestOfALongListOutlivesASnapshot) {
  use();
  std::vector<u32> pages(5000, 0xf00);
  pages[0] = 0x400;
  inflate(pages);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  fill(0x400);
  turn();
  EXPECT_NE(inflating->take_used(), std::nullopt);
  EXPECT_THAT(contents(0x400), Each(0xaa)) << "it was done before";
}

TEST_F(VirtioBalloonTest, AListInRegistersBreaksTheQueue) {
  use();
  inflating->add({{VirtioPciDriver::kModern, 16}});
  driver->notify(bits::kInflateQueue);
  EXPECT_EQ(driver->status() & hw::VirtioCore::kNeedsReset, hw::VirtioCore::kNeedsReset);
}

TEST_F(VirtioBalloonTest, PagesThatLeaveItComeBackAtOnce) {
  use();
  fill(0x400);
  bench.store(kList, 0x400, 4);
  const u16 id = deflating->add({{kList, 4}});
  driver->notify(bits::kDeflateQueue);
  EXPECT_EQ(deflating->take_used(), (UsedBuffer{.id = id, .written = 0}));
  EXPECT_THAT(contents(0x400), Each(0xaa));
}

TEST_F(VirtioBalloonTest, TheDriverHearsOfATarget) {
  use();
  balloon().set_target(12 * MiB);
  EXPECT_EQ(config(bits::kTargetAt), 4 * MiB / kPage);
  EXPECT_EQ(driver->take_interrupt_status(), hw::VirtioCore::kConfigInterrupt);
}

TEST_F(VirtioBalloonTest, ATargetOfMoreThanThereIsIsAll) {
  use();
  balloon().set_target(12 * MiB);
  balloon().set_target(1 * GiB);
  EXPECT_EQ(config(bits::kTargetAt), 0u);
}

TEST_F(VirtioBalloonTest, ATargetOutlivesAReset) {
  use();
  balloon().set_target(12 * MiB);
  bench.reset();
  driver->map();
  EXPECT_EQ(config(bits::kTargetAt), 4 * MiB / kPage);
}

TEST_F(VirtioBalloonTest, TheDriverSaysHowMuchItHolds) {
  use();
  driver->modern(kDriverConfig + bits::kActualAt, 512, 4);
  EXPECT_EQ(balloon().guest_bytes(), 14 * MiB);
  ASSERT_TRUE(bench.run_until([this] { return !told.empty(); }));
  EXPECT_THAT(told, ElementsAre("BALLOON_CHANGE 14680064"));
}

TEST_F(VirtioBalloonTest, ItHoldsNoMoreThanThereIs) {
  use();
  driver->modern(kDriverConfig + bits::kActualAt, 0xffff'ffff, 4);
  EXPECT_EQ(balloon().guest_bytes(), 0u);
}

TEST_F(VirtioBalloonTest, AResetEmptiesIt) {
  use();
  driver->modern(kDriverConfig + bits::kActualAt, 512, 4);
  bench.reset();
  EXPECT_EQ(balloon().guest_bytes(), 16 * MiB);
}

TEST_F(VirtioBalloonTest, WhatItHoldsIsSaved) {
  use({}, kVersion1 | kPoisonBit);
  driver->modern(kDriverConfig + bits::kActualAt, 512, 4);
  driver->modern(kDriverConfig + bits::kPoisonAt, 0xaaaa'aaaa, 4);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(balloon().guest_bytes(), 14 * MiB);
  EXPECT_EQ(config(bits::kPoisonAt), 0xaaaa'aaaau);
}

TEST_F(VirtioBalloonTest, NobodyHeardOfWritesToTheTarget) {
  use();
  balloon().set_target(12 * MiB);
  driver->modern(kDriverConfig + bits::kTargetAt, 7, 4);
  EXPECT_EQ(config(bits::kTargetAt), 4 * MiB / kPage);
}

TEST_F(VirtioBalloonTest, StatisticsAreAProperty) {
  use();
  bench.machine().host_clock().set_manual(77 * kNsPerSecond);
  say(4, 1234);
  EXPECT_THAT(property("guest-stats"), HasSubstr("\"stat-free-memory\": 1234,"));
  EXPECT_THAT(property("guest-stats"), HasSubstr("\"stat-swap-in\": 18446744073709551615,"));
  EXPECT_THAT(property("guest-stats"), HasSubstr("\"last-update\": 77}"));
  EXPECT_EQ(statistics->take_used(), std::nullopt) << "nobody has asked for more";
}

TEST_F(VirtioBalloonTest, StatisticsAreAskedForInTime) {
  use();
  say(4, 1);
  ASSERT_TRUE(driver->device().set("guest-stats-polling-interval", u64{2}));
  bench.advance(1);
  EXPECT_NE(statistics->take_used(), std::nullopt) << "at once the first time";
  say(4, 2);
  bench.advance(2 * kNsPerSecond - 1);
  EXPECT_EQ(statistics->take_used(), std::nullopt);
  bench.advance(1);
  EXPECT_NE(statistics->take_used(), std::nullopt);
  say(4, 3);
  EXPECT_THAT(property("guest-stats"), HasSubstr("\"stat-free-memory\": 3,"));
}

TEST_F(VirtioBalloonTest, NobodyAsksAnyMoreWithoutAnInterval) {
  use({{"guest-stats-polling-interval", "2"}});
  say(4, 1);
  ASSERT_TRUE(driver->device().set("guest-stats-polling-interval", u64{0}));
  bench.advance(10 * kNsPerSecond);
  EXPECT_EQ(statistics->take_used(), std::nullopt);
}

TEST_F(VirtioBalloonTest, ASavedQuestionIsAskedInTime) {
  use({{"guest-stats-polling-interval", "2"}});
  say(4, 1);
  bench.advance(1 * kNsPerSecond);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  bench.advance(1 * kNsPerSecond);
  EXPECT_NE(statistics->take_used(), std::nullopt);
}

TEST_F(VirtioBalloonTest, OfTwoBuffersOfStatisticsTheOlderComesBack) {
  use();
  const u16 first = say(4, 1);
  say(4, 2);
  EXPECT_EQ(statistics->take_used(), (UsedBuffer{.id = first, .written = 0}));
  EXPECT_EQ(statistics->take_used(), std::nullopt);
}

TEST_F(VirtioBalloonTest, AnIntervalIsANumberOfSeconds) {
  use();
  EXPECT_THAT(driver->device().set("guest-stats-polling-interval", i64{-1}).error().message(),
              HasSubstr("timer value must be greater than zero"));
  EXPECT_THAT(driver->device().set("guest-stats-polling-interval", u64{1} << 32).error().message(),
              HasSubstr("timer value is too big"));
}

TEST_F(VirtioBalloonTest, ReportedPagesGoBackToTheHost) {
  use({{"free-page-reporting", "on"}}, kVersion1 | kReportBit);
  fill(0x400);
  fill(0x401);
  fill(0x402);
  const u16 id = reporting->add({{0x400 * kPage, kPage, true}, {0x402 * kPage, kPage, true}});
  driver->notify(bits::kReportQueue);
  EXPECT_EQ(reporting->take_used(), (UsedBuffer{.id = id, .written = 0}));
  EXPECT_THAT(contents(0x400), Each(0));
  EXPECT_THAT(contents(0x401), Each(0xaa));
  EXPECT_THAT(contents(0x402), Each(0));
}

TEST_F(VirtioBalloonTest, OfReportedPiecesWholePagesGo) {
  use({{"free-page-reporting", "on"}}, kVersion1 | kReportBit);
  fill(0x400);
  fill(0x401);
  reporting->add({{0x400 * kPage + 1, 2 * kPage - 1, true}});
  driver->notify(bits::kReportQueue);
  EXPECT_THAT(contents(0x400), Each(0xaa));
  EXPECT_THAT(contents(0x401), Each(0));
}

TEST_F(VirtioBalloonTest, ReportedPagesThatMustHoldSomethingStay) {
  use({{"free-page-reporting", "on"}}, kVersion1 | kReportBit | kPoisonBit);
  driver->modern(kDriverConfig + bits::kPoisonAt, 0xaaaa'aaaa, 4);
  fill(0x400);
  reporting->add({{0x400 * kPage, kPage, true}});
  driver->notify(bits::kReportQueue);
  EXPECT_NE(reporting->take_used(), std::nullopt);
  EXPECT_THAT(contents(0x400), Each(0xaa));
}

TEST_F(VirtioBalloonTest, AHugeReportTakesSeveralTurns) {
  use({{"free-page-reporting", "on"}}, kVersion1 | kReportBit);
  reporting->add({{1 * GiB, 64 * MiB, true}});
  driver->notify(bits::kReportQueue);
  EXPECT_EQ(reporting->take_used(), std::nullopt);
  std::optional<UsedBuffer> used;
  EXPECT_TRUE(bench.run_until([&] { return used || (used = reporting->take_used()); }));
}

TEST_F(VirtioBalloonTest, ReportsHaveAQueueWhereTheyAreOffered) {
  use();
  EXPECT_EQ(driver->modern(0x12, 2), 3u);
  EXPECT_EQ(driver->offered() & kReportBit, 0u);
}

TEST_F(VirtioBalloonTest, WithoutPagePoisonItsConfigurationIsShort) {
  const auto legacy_bytes = [this] {
    bench.config_write(VirtioPciDriver::kDevfn, pci::kBar0, ~u32{0}, 4);
    return ~(bench.config_read(VirtioPciDriver::kDevfn, pci::kBar0, 4) & ~u32{3}) + 1;
  };
  use({{"page-poison", "off"}});
  EXPECT_EQ(legacy_bytes(), 32u);
  ASSERT_TRUE(bench.machine().unplug(driver->device()));
  use({{"page-poison", "off"}, {"qemu-4-0-config-size", "on"}});
  EXPECT_EQ(legacy_bytes(), 64u) << "as QEMU 4.0's";
}

TEST_F(VirtioBalloonTest, ThereIsOne) {
  use();
  const auto second = bench.try_add("virtio-balloon-pci");
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message(), HasSubstr("Only one balloon device is supported"));
  ASSERT_TRUE(bench.machine().unplug(driver->device()));
  EXPECT_EQ(bench.machine().service<hw::BalloonPlace>().balloon, nullptr);
  EXPECT_TRUE(bench.try_add("virtio-balloon-pci"));
}

TEST_F(VirtioBalloonTest, QemusShortNameMeansIt) {
  const auto made = bench.machine().plug("virtio-balloon", {}, "b");
  ASSERT_TRUE(made);
  EXPECT_EQ((*made)->type().name, "virtio-balloon-pci");
}

TEST_F(VirtioBalloonTest, HintsAreRefused) {
  const auto made = bench.try_add("virtio-balloon-pci", {{"free-page-hint", "on"}});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message(), HasSubstr("'free-page-hint' requires 'iothread'"));
  EXPECT_EQ(bench.machine().service<hw::BalloonPlace>().balloon, nullptr);
}

}  // namespace
}  // namespace rhea::test
