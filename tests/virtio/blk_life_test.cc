// SPDX-License-Identifier: GPL-2.0-or-later
// Requests of the block device that are under way while it is reset, saved, stopped or taken out.
#include "tests/support/environment.h"
#include "tests/virtio/blk_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace rhea::test {
namespace {

using testing::Each;

class VirtioBlkLife : public VirtioBlkTest {
 protected:
  /// Rings as new.
  void start_again() {
    for (const u64 at : {place.descriptors, place.driver, place.device})
      bench.write(at, std::vector<u8>(0x2000, 0));
    ring = driver->start(kAllOfBlk, place);
  }
  std::vector<u8> data_read() { return bench.read(kBlkData, 512); }
};

TEST_F(VirtioBlkLife, AResetForgetsAReadThatTheDiskIsAt) {
  use();
  gate->close();
  ask(kBlkIn, 1, {{kBlkData, 512, true}});
  start_again();
  gate->open();
  ASSERT_TRUE(settle());
  EXPECT_THAT(data_read(), Each(0));
  EXPECT_EQ(ring->take_used(), std::nullopt);
  EXPECT_EQ(status_of(kBlkIn, 1, {{kBlkData, 512, true}}), 0u);
}

TEST_F(VirtioBlkLife, AWriteThatTheDriveHasIsDoneAfterAReset) {
  use();
  bench.write(kBlkData, std::vector<u8>(512, 0x77));
  gate->close();
  ask(kBlkIn, 0, {{kBlkData + 512, 512, true}});
  ask(kBlkOut, 1, {{kBlkData, 512}});
  driver->set_status(0);
  gate->open();
  ASSERT_TRUE(settle());
  EXPECT_THAT(on_disk(512, 512), Each(0x77));
}

TEST_F(VirtioBlkLife, ResetsOverAndOverHoldNoMoreThanTheLimit) {
  use();
  gate->close();
  for (unsigned round = 0; round < 100; ++round) {
    for (unsigned n = 0; n < 16; ++n) ask(kBlkOut, 0, {{kBlkData, 1 * MiB}});
    start_again();
  }
  EXPECT_LE(backend->in_flight(), 33u);
  gate->open();
  ASSERT_TRUE(settle());
  EXPECT_EQ(status_of(kBlkIn, 1, {{kBlkData, 512, true}}), 0u);
}

TEST_F(VirtioBlkLife, AQueueThatIsResetForgetsItsRequests) {
  use({}, kAllOfBlk | kRingReset);
  gate->close();
  ask(kBlkIn, 1, {{kBlkData, 512, true}});
  driver->modern(0x16, 0, 2);
  driver->modern(0x3a, 1, 2);
  gate->open();
  ASSERT_TRUE(settle());
  EXPECT_THAT(data_read(), Each(0));
}

TEST_F(VirtioBlkLife, MoreThanTheDriveMayHaveWaitsAndIsDone) {
  use();
  gate->close();
  for (unsigned n = 0; n < 16; ++n) ask(kBlkIn, 0, {{kBlkData, 4 * MiB, true}});
  EXPECT_LE(backend->in_flight(), 32u);
  gate->open();
  unsigned answered = 0;
  bench.run_until(
      [&] { return answered == 16 || (answered += ring->take_used().has_value()) == 16; });
  EXPECT_EQ(answered, 16u);
}

TEST_F(VirtioBlkLife, TakenOutItLeavesItsRequestsToThemselves) {
  use();
  gate->close();
  ask(kBlkIn, 1, {{kBlkData, 512, true}});
  ask(kBlkOut, 1, {{kBlkData, 512}});
  ASSERT_TRUE(bench.machine().unplug(driver->device()));
  gate->open();
  ASSERT_TRUE(settle());
  EXPECT_EQ(backend->device(), nullptr);
  EXPECT_THAT(data_read(), Each(0));
}

TEST_F(VirtioBlkLife, ASavedRequestIsMadeAgainWhenTheMachineGoesOn) {
  use();
  gate->close();
  ask(kBlkIn, 1, {{kBlkData, 512, true}});
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  gate->open();
  ASSERT_TRUE(settle());
  EXPECT_EQ(ring->take_used(), std::nullopt);
  bench.machine().resume();
  EXPECT_TRUE(answer());
  EXPECT_EQ(data_read(), on_disk(512, 512));
  bench.machine().pause();
}

TEST_F(VirtioBlkLife, SavingLoadingAndSavingAgainChangesNothing) {
  use();
  gate->close();
  ask(kBlkIn, 1, {{kBlkData, 512, true}, {kBlkData + 0x1000, 1024, true}});
  ask(kBlkFlush, 0);
  ask(kBlkWriteZeroes, 0, range(3, 1, 1));
  const auto saved = bench.save();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(bench.save(), saved);
}

TEST_F(VirtioBlkLife, RequestsWaitWhileTheMachineStands) {
  use();
  bench.machine().resume();
  bench.machine().pause();
  ask(kBlkIn, 1, {{kBlkData, 512, true}});
  EXPECT_EQ(gate->arrivals, 0u);
  bench.machine().resume();
  EXPECT_TRUE(answer());
  bench.machine().pause();
}

TEST_F(VirtioBlkLife, FeaturesOfALegacyDriverDoNotChangeWhileItIsReady) {
  use({{"packed", "on"}});
  driver->set_status(0);
  ring = driver->start_legacy();
  gate->close();
  ask(kBlkIn, 1, {{kBlkData, 512, true}});
  driver->accept(kVersion1 | kPacked);
  gate->open();
  EXPECT_TRUE(answer());
}

TEST_F(VirtioBlkLife, AStatusWithoutFeaturesOkDoesNotLetThemChangeAgain) {
  use({{"packed", "on"}});
  gate->close();
  ask(kBlkIn, 1, {{kBlkData, 512, true}});
  driver->set_status(VirtioPciDriver::Core::kDriver | VirtioPciDriver::Core::kDriverOk);
  driver->accept(kAllOfBlk | kPacked);
  gate->open();
  EXPECT_TRUE(answer());
  EXPECT_NE(driver->status() & VirtioPciDriver::Core::kFeaturesOk, 0);
}

TEST_F(VirtioBlkLife, WithoutFeaturesOkADriverHasNoMoreThanIsOffered) {
  use({{"discard", "off"}}, kVersion1);
  driver->set_status(0);
  driver->accept(kDiscardBit);
  driver->enable_queue(0, place);
  driver->set_status(VirtioPciDriver::Core::kDriver | VirtioPciDriver::Core::kDriverOk);
  ask(kBlkDiscard, 0, range(0, 1));
  EXPECT_TRUE(settle());
  EXPECT_EQ(bench.load(status_at, 1), kNoStatus);
}

TEST_F(VirtioBlkLife, AnErrorThatStopsTheMachineIsTriedAgain) {
  use({{"rerror", "stop"}});
  bench.machine().resume();
  gate->break_at(600);
  ask(kBlkIn, 1, {{kBlkData, 512, true}});
  ASSERT_TRUE(bench.run_until([&] { return !bench.machine().running(); }));
  EXPECT_EQ(ring->take_used(), std::nullopt);
  gate->mend();
  bench.machine().resume();
  EXPECT_TRUE(answer());
  EXPECT_EQ(data_read(), on_disk(512, 512));
  bench.machine().pause();
}

/// A guest that asks a disk for anything.
class HostileBlkGuest : public VirtioBlkTest {
 protected:
  u64 pick(u64 below) { return random() % below; }
  u64 where() {
    const std::array<u64, 5> places{kBlkData, kHeads, place.descriptors, VirtioPciDriver::kModern,
                                    0xffff'f000};
    return places[pick(16) == 0 ? pick(5) : 0] + pick(4096);
  }
  u32 length() {
    const std::array<u32, 6> lengths{512, 1024, 16, 1, 2 * MiB, 8192};
    return pick(16) == 0 ? static_cast<u32>(random()) : lengths[pick(6)];
  }
  /// The driver uses its descriptors in turn, whether they are free or not.
  void wait_for_answers() {
    settle();
    while (ring->take_used()) ++answered;
  }
  void request() {
    if (asked % 8 == 0) wait_for_answers();
    const std::array<u32, 6> kinds{kBlkIn,    kBlkOut,     kBlkFlush,
                                   kBlkGetId, kBlkDiscard, kBlkWriteZeroes};
    const u32 kind = pick(16) == 0 ? static_cast<u32>(random()) : kinds[pick(6)];
    const u64 sector = pick(16) == 0 ? random() : pick(kDiskBytes / 512 + 8);
    Pieces data;
    if (kind == kBlkDiscard || kind == kBlkWriteZeroes)
      data = range(pick(9000), static_cast<u32>(pick(100)), static_cast<u32>(pick(4)));
    else
      for (u64 n = pick(4); n != 0; --n) data.push_back({where(), length(), kind != kBlkOut});
    if (pick(32) == 0) data.push_back({where(), length(), pick(2) == 0});
    ask(kind, sector, data);
    // While the device may be at it.
    if (pick(32) == 0) bench.store(place.descriptors + pick(64 * 16), random(), 1);
  }
  void start_over() {
    for (const u64 at : {place.descriptors, place.driver, place.device})
      bench.write(at, std::vector<u8>(0x400, 0));
    driver->map();
    ring = driver->start(kAllOfBlk | (pick(2) == 0 ? kPacked : 0), place);
  }
  void save_and_load() {
    const auto saved = bench.save();
    refused += !bench.load(saved);
    changed += bench.save() != saved;
  }
  void step() {
    const u64 what = pick(100);
    if (what < 70) return request();
    if (what < 85) return static_cast<void>(bench.machine().loop().iterate(false));
    if (what < 88) return start_over();
    if (what < 90) return gate->break_at(pick(kDiskBytes));
    if (what < 91) return gate->mend();
    if (what < 92) return driver->modern(0x2000 + pick(60), random(), 1);
    if (what < 93 && pick(4) == 0) return save_and_load();
    if (what < 94 && pick(4) == 0) {
      bench.machine().resume();
      return bench.machine().pause();
    }
    wait_for_answers();
  }
  std::mt19937_64 random{from_environment("RHEA_RING_SEED", 1)};
  unsigned refused{0}, changed{0}, answered{0};
};

TEST_F(HostileBlkGuest, DoesNoHarmAndItsStateIsAlwaysOneThatLoads) {
  use({{"packed", "on"}});
  const u64 steps = from_environment("RHEA_VIRTIO_STEPS", 3'000);
  for (u64 n = 0; n < steps; ++n) step();
  EXPECT_TRUE(bench.run_until([&] { return backend->in_flight() == 0; }));
  EXPECT_EQ(refused, 0u);
  EXPECT_EQ(changed, 0u);
  EXPECT_GT(answered, steps / 100);
}

}  // namespace
}  // namespace rhea::test
