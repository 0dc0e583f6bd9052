// SPDX-License-Identifier: GPL-2.0-or-later
// The 6300ESB's watchdog timer, programmed as its datasheet says.
#include "rhea/softmmu/actions.h"
#include "rhea/softmmu/smm.h"
#include "rhea/softmmu/tool_events.h"
#include "tests/support/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr unsigned kEsb = 3 << 3;
constexpr u64 kEsbBase = 0xfe00'0000;
constexpr u64 kPreload1 = kEsbBase, kPreload2 = kEsbBase + 4, kEsbStatus = kEsbBase + 8,
              kEsbReload = kEsbBase + 0xc;
constexpr unsigned kEsbConfig = 0x60, kEsbLock = 0x68;
constexpr i64 kMs = 1'000'000;

class I6300esbTest : public testing::Test {
 protected:
  I6300esbTest() {
    bench.machine().service<MachineActions>().watchdog = WatchdogAction::Pause;
    bench.machine().service<ToolEvents>().observe(
        [this](const std::string& name, const ToolEvents::Data& data) {
          heard.push_back(name + " " + to_text(data.front().second));
        });
    bench.add("i6300esb", {{"addr", "3"}});
    decode();
  }
  void decode() {
    bench.config_write(kEsb, pci::kBar0, kEsbBase, 4);
    bench.config_write(kEsb, pci::kCommand, pci::kCommandMemory, 2);
  }
  void unlock() {
    bench.store(kEsbReload, 0x80, 2);
    bench.store(kEsbReload, 0x86, 2);
  }
  void preload(u32 first, u32 second) {
    unlock();
    bench.store(kPreload1, first, 4);
    unlock();
    bench.store(kPreload2, second, 4);
  }
  void reload() {
    unlock();
    bench.store(kEsbReload, 0x100, 2);
  }
  bool timed_out() { return (bench.load(kEsbReload, 2) & 0x200) != 0; }

  Bench bench;
  std::vector<std::string> heard;
};

TEST_F(I6300esbTest, IdentifiesItself) {
  EXPECT_EQ(bench.config_read(kEsb, 0, 4), 0x25ab'8086u);
  EXPECT_EQ(bench.config_read(kEsb, pci::kRevision, 4) >> 8, 0x088000u);
  EXPECT_EQ(bench.load(kPreload1, 4), 0xf'ffffu);
  EXPECT_EQ(bench.load(kPreload2, 4), 0xf'ffffu);
}

TEST_F(I6300esbTest, RegistersAreWrittenUnlockedOnly) {
  bench.store(kPreload1, 1, 4);
  bench.store(kEsbReload, 0x86, 2);
  bench.store(kPreload1, 2, 4);
  EXPECT_EQ(bench.load(kPreload1, 4), 0xf'ffffu);
  unlock();
  bench.store(kPreload1, 0xfff1'2345, 4);
  bench.store(kPreload2, 7, 4);
  EXPECT_EQ(bench.load(kPreload1, 4), 0x1'2345u);
  EXPECT_EQ(bench.load(kPreload2, 4), 0xf'ffffu);
}

TEST_F(I6300esbTest, TheSecondStagesEndIsTheAction) {
  preload(100, 200);  // 33 MHz / 2^15: about 99 and 199 ms
  bench.config_write(kEsb, kEsbLock, 2, 1);
  bench.advance(100 * kMs);
  EXPECT_EQ(bench.load(kEsbStatus, 4), 1u);
  EXPECT_THAT(heard, IsEmpty());
  bench.advance(199 * kMs);
  EXPECT_THAT(heard, ElementsAre("WATCHDOG pause"));
  EXPECT_TRUE(timed_out());
  bench.store(kEsbStatus, 1, 4);
  EXPECT_EQ(bench.load(kEsbStatus, 4), 0u);
}

TEST_F(I6300esbTest, AReloadBeginsWithTheFirstStage) {
  preload(100, 100);
  bench.config_write(kEsb, kEsbLock, 2, 1);
  bench.advance(150 * kMs);
  reload();
  bench.advance(150 * kMs);
  EXPECT_THAT(heard, IsEmpty());
  bench.advance(60 * kMs);
  EXPECT_THAT(heard, ElementsAre("WATCHDOG pause"));
}

TEST_F(I6300esbTest, ReloadOutsideOfItsLockDoesNothing) {
  preload(100, 100);
  bench.config_write(kEsb, kEsbLock, 2, 1);
  bench.advance(150 * kMs);
  bench.store(kEsbReload, 0x100, 2);
  bench.advance(60 * kMs);
  EXPECT_THAT(heard, ElementsAre("WATCHDOG pause"));
}

TEST_F(I6300esbTest, ThePrescalerMayBeFast) {
  preload(1000, 1000);  // 33 MHz / 2^5: about 970 us each
  bench.config_write(kEsb, kEsbConfig, 0x4, 2);
  bench.config_write(kEsb, kEsbLock, 2, 1);
  bench.advance(2 * kMs);
  EXPECT_THAT(heard, ElementsAre("WATCHDOG pause"));
}

TEST_F(I6300esbTest, WithoutItsOutputItOnlyCounts) {
  preload(10, 10);
  bench.config_write(kEsb, kEsbConfig, 0x23, 2);
  bench.config_write(kEsb, kEsbLock, 2, 1);
  bench.advance(1000 * kMs);
  EXPECT_THAT(heard, IsEmpty());
  EXPECT_FALSE(timed_out());
}

TEST_F(I6300esbTest, LockedItCannotBeStopped) {
  preload(100, 100);
  bench.config_write(kEsb, kEsbLock, 3, 1);
  bench.config_write(kEsb, kEsbLock, 0, 1);
  EXPECT_EQ(bench.config_read(kEsb, kEsbLock, 1), 3u);
  bench.advance(250 * kMs);
  EXPECT_THAT(heard, ElementsAre("WATCHDOG pause"));
}

TEST_F(I6300esbTest, DisabledItStops) {
  preload(100, 100);
  bench.config_write(kEsb, kEsbLock, 2, 1);
  bench.advance(150 * kMs);
  bench.config_write(kEsb, kEsbLock, 0, 1);
  bench.advance(1000 * kMs);
  EXPECT_THAT(heard, IsEmpty());
}

TEST_F(I6300esbTest, FreeRunningItHasOneStageAndTurnsItsPinOver) {
  bench.machine().service<MachineActions>().watchdog = WatchdogAction::Poweroff;
  preload(1, 100);
  bench.config_write(kEsb, kEsbLock, 6, 1);
  bench.advance(50 * kMs);
  EXPECT_EQ(bench.load(kEsbStatus, 4), 0u);
  bench.advance(50 * kMs);
  EXPECT_EQ(heard.size(), 1u);
  bench.advance(100 * kMs);
  EXPECT_EQ(heard.size(), 1u);
  bench.advance(100 * kMs);
  EXPECT_EQ(heard.size(), 2u);
}

TEST_F(I6300esbTest, FreeRunningWithoutATimeDoesNotOccupyTheHost) {
  bench.machine().service<MachineActions>().watchdog = WatchdogAction::Poweroff;
  preload(0, 0);
  bench.config_write(kEsb, kEsbLock, 6, 1);
  bench.advance(10 * kMs);
  EXPECT_EQ(heard.size(), 25u);
}

TEST_F(I6300esbTest, TheFirstStageMayBeASystemManagementInterrupt) {
  unsigned interrupts = 0;
  bench.machine().service<SystemManagement>().interrupt = [&interrupts] { ++interrupts; };
  preload(100, 100);
  bench.config_write(kEsb, kEsbConfig, 0x2, 2);
  bench.config_write(kEsb, kEsbLock, 2, 1);
  bench.advance(110 * kMs);
  EXPECT_EQ(interrupts, 1u);
}

TEST_F(I6300esbTest, TheNextSystemKnowsOfTheTimeout) {
  preload(1, 1);
  bench.config_write(kEsb, kEsbLock, 3, 1);
  bench.advance(5 * kMs);
  bench.reset();
  decode();
  EXPECT_EQ(bench.config_read(kEsb, kEsbLock, 1), 0u);
  EXPECT_EQ(bench.load(kPreload1, 4), 0xf'ffffu);
  EXPECT_TRUE(timed_out());
  unlock();
  bench.store(kEsbReload, 0x300, 2);
  EXPECT_FALSE(timed_out());
}

TEST_F(I6300esbTest, ASnapshotHoldsTheStageAndTheLock) {
  preload(100, 100);
  bench.config_write(kEsb, kEsbLock, 2, 1);
  bench.advance(150 * kMs);
  bench.store(kEsbReload, 0x80, 2);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(bench.save(), saved);
  bench.store(kEsbReload, 0x86, 2);
  bench.store(kPreload2, 5, 4);
  EXPECT_EQ(bench.load(kPreload2, 4), 5u);
  bench.advance(60 * kMs);
  EXPECT_THAT(heard, ElementsAre("WATCHDOG pause"));
}

}  // namespace
}  // namespace rhea::test
