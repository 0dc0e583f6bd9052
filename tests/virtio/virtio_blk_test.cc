// SPDX-License-Identifier: GPL-2.0-or-later
// The block device: what requests do, what is in its configuration, what is refused.
#include "tests/virtio/blk_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::Each;
using testing::HasSubstr;

constexpr unsigned kFine = 0, kBad = 1, kUnknown = 2;

TEST_F(VirtioBlkTest, ReadsSectors) {
  use();
  const u16 id = ask(kBlkIn, 3, {{kBlkData, 1024, true}});
  EXPECT_EQ(answer(), (UsedBuffer{.id = id, .written = 1025}));
  EXPECT_EQ(bench.load(status_at, 1), kFine);
  EXPECT_EQ(bench.read(kBlkData, 1024), on_disk(3 * 512, 1024));
  EXPECT_TRUE(driver->interrupted());
}

TEST_F(VirtioBlkTest, WritesSectors) {
  use();
  bench.write(kBlkData, std::vector<u8>(1024, 0x5a));
  EXPECT_EQ(status_of(kBlkOut, 5, {{kBlkData, 1024}}), kFine);
  EXPECT_THAT(on_disk(5 * 512, 1024), Each(0x5a));
  EXPECT_NE(on_disk(7 * 512, 1), std::vector<u8>{0x5a});
}

TEST_F(VirtioBlkTest, DataAndHeaderMayLieInAnyPieces) {
  use();
  bench.store(0x3'0000, kBlkIn, 4);
  bench.store(0x3'0010, 0, 4);
  bench.store(0x3'0020, 9, 8);
  bench.store(0x3'0030, kNoStatus, 1);
  ring->add({{0x3'0000, 4},
             {0x3'0010, 4},
             {0x3'0020, 8},
             {kBlkData, 1, true},
             {kBlkData + 0x1000, 300, true},
             {kBlkData + 1, 211, true},
             {0x3'0030, 1, true}});
  driver->notify(0);
  EXPECT_EQ(answer()->written, 513u);
  EXPECT_EQ(bench.read(kBlkData, 1), on_disk(9 * 512, 1));
  EXPECT_EQ(bench.read(kBlkData + 0x1000, 300), on_disk(9 * 512 + 1, 300));
  EXPECT_EQ(bench.read(kBlkData + 1, 211), on_disk(9 * 512 + 301, 211));
}

TEST_F(VirtioBlkTest, ALongReadGoesInPieces) {
  use();
  EXPECT_EQ(status_of(kBlkIn, 0, {{kBlkData, 3 * MiB + 512, true}}), kFine);
  EXPECT_EQ(bench.read(kBlkData, 3 * MiB + 512), on_disk(0, 3 * MiB + 512));
  EXPECT_EQ(gate->arrivals, 4u);
}

TEST_F(VirtioBlkTest, ALongWriteGoesInPieces) {
  use();
  const std::vector<u8> data(2 * MiB + 1024, 0x33);
  bench.write(kBlkData, data);
  EXPECT_EQ(status_of(kBlkOut, 2, {{kBlkData, 2 * MiB + 1024}}), kFine);
  EXPECT_EQ(on_disk(1024, data.size()), data);
}

TEST_F(VirtioBlkTest, ServesPackedRings) {
  use({{"packed", "on"}}, kAllOfBlk | kPacked);
  EXPECT_EQ(status_of(kBlkIn, 1, {{kBlkData, 512, true}}), kFine);
  EXPECT_EQ(bench.read(kBlkData, 512), on_disk(512, 512));
}

TEST_F(VirtioBlkTest, ServesLegacyDrivers) {
  use();
  ring = driver->start_legacy();
  EXPECT_EQ(status_of(kBlkIn, 1, {{kBlkData, 512, true}}), kFine);
  EXPECT_EQ(bench.read(kBlkData, 512), on_disk(512, 512));
}

TEST_F(VirtioBlkTest, ManyAtOnceAreAllAnswered) {
  use();
  ask(kBlkOut, 0, {{kBlkData, 512}});
  ask(kBlkIn, 0, {{kBlkData, 512, true}});
  ask(kBlkFlush, 0);
  ask(kBlkIn, 1, {{kBlkData + 512, 512, true}});
  EXPECT_TRUE(answer() && answer() && answer() && answer());
  EXPECT_EQ(answer(), std::nullopt);
}

TEST_F(VirtioBlkTest, FlushReachesTheDisk) {
  use();
  EXPECT_EQ(status_of(kBlkFlush, 0), kFine);
  EXPECT_EQ(gate->flushes, 1u);
}

TEST_F(VirtioBlkTest, TellsItsSerialNumber) {
  use({{"serial", "abc"}});
  bench.write(kBlkData, std::vector<u8>(21, 0xff));
  EXPECT_EQ(status_of(kBlkGetId, 0, {{kBlkData, 20, true}}), kFine);
  EXPECT_EQ(bench.read(kBlkData, 5), (std::vector<u8>{'a', 'b', 'c', 0, 0}));
  EXPECT_EQ(bench.read(kBlkData + 19, 2), (std::vector<u8>{0, 0xff}));
}

TEST_F(VirtioBlkTest, TheDrivesSerialNumberStandsIn) {
  backend->serial = "fromdrive";
  use();
  status_of(kBlkGetId, 0, {{kBlkData, 20, true}});
  EXPECT_EQ(bench.read(kBlkData, 9),
            (std::vector<u8>{'f', 'r', 'o', 'm', 'd', 'r', 'i', 'v', 'e'}));
}

TEST_F(VirtioBlkTest, DiscardsARange) {
  use();
  EXPECT_EQ(status_of(kBlkDiscard, 0, range(4, 2)), kFine);
  EXPECT_THAT(on_disk(4 * 512, 1024), Each(0));
  EXPECT_NE(on_disk(6 * 512 + 1, 1), std::vector<u8>{0});
}

TEST_F(VirtioBlkTest, WritesZeroes) {
  use();
  EXPECT_EQ(status_of(kBlkWriteZeroes, 0, range(4, 2, 1)), kFine);
  EXPECT_THAT(on_disk(4 * 512, 1024), Each(0));
}

TEST_F(VirtioBlkTest, RangesWithUnknownFlagsAreUnsupported) {
  use();
  EXPECT_EQ(status_of(kBlkDiscard, 0, range(4, 2, 1)), kUnknown);
  EXPECT_EQ(status_of(kBlkWriteZeroes, 0, range(4, 2, 2)), kUnknown);
}

TEST_F(VirtioBlkTest, RangesBeyondWhatIsAllowedFail) {
  use({{"max-discard-sectors", "8"}, {"max-write-zeroes-sectors", "16"}});
  EXPECT_EQ(status_of(kBlkDiscard, 0, range(0, 9)), kBad);
  EXPECT_EQ(status_of(kBlkWriteZeroes, 0, range(0, 17)), kBad);
  EXPECT_EQ(status_of(kBlkDiscard, 0, range(kDiskBytes / 512 - 1, 2)), kBad);
}

TEST_F(VirtioBlkTest, SeveralRangesAreUnsupportedAndHalfAOneFails) {
  use();
  range(0, 1);
  EXPECT_EQ(status_of(kBlkDiscard, 0, {{kBlkData, 32}}), kUnknown);
  EXPECT_EQ(status_of(kBlkDiscard, 0, {{kBlkData, 8}}), kBad);
}

TEST_F(VirtioBlkTest, WhatWasNotNegotiatedIsUnsupported) {
  use({{"discard", "off"}, {"write-zeroes", "off"}}, kVersion1);
  EXPECT_EQ(status_of(kBlkDiscard, 0, range(4, 2)), kUnknown);
  EXPECT_EQ(status_of(kBlkWriteZeroes, 0, range(4, 2)), kUnknown);
  EXPECT_EQ(status_of(77, 0), kUnknown);
}

TEST_F(VirtioBlkTest, WhatIsBeyondTheEndFails) {
  use();
  EXPECT_EQ(status_of(kBlkIn, kDiskBytes / 512 - 1, {{kBlkData, 1024, true}}), kBad);
  EXPECT_EQ(status_of(kBlkOut, ~u64{0}, {{kBlkData, 512}}), kBad);
  EXPECT_EQ(status_of(kBlkIn, u64{1} << 55, {{kBlkData, 512, true}}), kBad);
  EXPECT_EQ(gate->arrivals, 0u);
}

TEST_F(VirtioBlkTest, PartsOfBlocksFail) {
  use({{"logical_block_size", "4096"}});
  EXPECT_EQ(status_of(kBlkIn, 0, {{kBlkData, 512, true}}), kBad);
  EXPECT_EQ(status_of(kBlkIn, 1, {{kBlkData, 4096, true}}), kBad);
  EXPECT_EQ(status_of(kBlkIn, 8, {{kBlkData, 4096, true}}), kFine);
}

TEST_F(VirtioBlkTest, DataWhereNoMemoryIsFails) {
  use();
  EXPECT_EQ(status_of(kBlkIn, 0, {{VirtioPciDriver::kModern, 512, true}}), kBad);
  EXPECT_EQ(status_of(kBlkOut, 0, {{VirtioPciDriver::kModern, 512}}), kBad);
  EXPECT_EQ(driver->status() & hw::VirtioCore::kNeedsReset, 0);
}

TEST_F(VirtioBlkTest, ABufferWithoutRoomForAStatusBreaksTheQueue) {
  use();
  ring->add({{kHeads, 16}});
  driver->notify(0);
  EXPECT_NE(driver->status() & hw::VirtioCore::kNeedsReset, 0);
}

TEST_F(VirtioBlkTest, ABufferWithoutAWholeHeaderBreaksTheQueue) {
  use();
  ring->add({{kHeads, 15}, {kHeads + 32, 1, true}});
  driver->notify(0);
  EXPECT_NE(driver->status() & hw::VirtioCore::kNeedsReset, 0);
}

TEST_F(VirtioBlkTest, AReadOfNothingIsFine) {
  use();
  EXPECT_EQ(status_of(kBlkIn, 0), kFine);
}

TEST_F(VirtioBlkTest, NothingIsWrittenToAReadOnlyDisk) {
  insert(true);
  use();
  EXPECT_NE(driver->offered() & hw::virtio::bit(5), 0u);
  EXPECT_EQ(status_of(kBlkOut, 0, {{kBlkData, 512}}), kBad);
  EXPECT_EQ(status_of(kBlkWriteZeroes, 0, range(0, 1)), kBad);
  EXPECT_EQ(status_of(kBlkIn, 0, {{kBlkData, 512, true}}), kFine);
}

TEST_F(VirtioBlkTest, AnErrorOfTheHostIsTheRequests) {
  use();
  gate->break_at(600);
  EXPECT_EQ(status_of(kBlkIn, 0, {{kBlkData, 1024, true}}), kBad);
  EXPECT_EQ(status_of(kBlkIn, 2, {{kBlkData, 512, true}}), kFine);
}

TEST_F(VirtioBlkTest, AnErrorMayBeIgnored) {
  use({{"rerror", "ignore"}});
  gate->break_at(600);
  EXPECT_EQ(status_of(kBlkIn, 0, {{kBlkData, 1024, true}}), kFine);
}

TEST_F(VirtioBlkTest, WithoutFlushesInTheDriverWritesReachTheDisk) {
  use({}, kVersion1);
  EXPECT_EQ(status_of(kBlkOut, 0, {{kBlkData, 512}}), kFine);
  EXPECT_EQ(gate->flushes, 1u);
}

TEST_F(VirtioBlkTest, TheDriverSwitchesTheWriteCache) {
  use();
  EXPECT_EQ(config(32, 1), 1u);
  status_of(kBlkOut, 0, {{kBlkData, 512}});
  EXPECT_EQ(gate->flushes, 0u);
  driver->modern(0x2000 + 32, 0, 1);
  EXPECT_EQ(config(32, 1), 0u);
  status_of(kBlkOut, 0, {{kBlkData, 512}});
  EXPECT_EQ(gate->flushes, 1u);
}

TEST_F(VirtioBlkTest, NothingElseOfTheConfigurationIsTheDrivers) {
  use();
  driver->modern(0x2000, 5, 4);
  driver->modern(0x2000 + 34, 9, 2);
  EXPECT_EQ(config(0, 4), kDiskBytes / 512);
  EXPECT_EQ(config(34, 2), 1u);
}

TEST_F(VirtioBlkTest, WriteCacheOffIsHowItStarts) {
  use({{"write-cache", "off"}});
  EXPECT_EQ(config(32, 1), 0u);
}

TEST_F(VirtioBlkTest, TheConfigurationTellsOfTheDisk) {
  use({{"logical_block_size", "1024"},
       {"physical_block_size", "4096"},
       {"min_io_size", "4096"},
       {"opt_io_size", "64k"},
       {"discard_granularity", "8192"},
       {"cyls", "9"},
       {"heads", "5"},
       {"secs", "7"},
       {"queue-size", "64"},
       {"num-queues", "3"}});
  EXPECT_EQ(config(0, 4), kDiskBytes / 512);
  EXPECT_EQ(config(12, 4), 62u);
  EXPECT_EQ(config(16, 4), 9u | 5u << 16 | 7u << 24);
  EXPECT_EQ(config(20, 4), 1024u);
  EXPECT_EQ(config(24, 4), 2u | 4u << 16);
  EXPECT_EQ(config(28, 4), 64u);
  EXPECT_EQ(config(34, 2), 3u);
  EXPECT_EQ(config(36, 4), 4194302u);
  EXPECT_EQ(config(44, 4), 16u);
  EXPECT_EQ(config(56, 1), 1u);
  EXPECT_EQ(driver->modern(0x12, 2), 3u);
}

TEST_F(VirtioBlkTest, EachQueueIsServed) {
  use({{"num-queues", "2"}});
  const RingPlace other{
      .descriptors = 0x4'0000, .driver = 0x4'4000, .device = 0x4'8000, .entries = 8};
  driver->enable_queue(1, other);
  SplitDriver second(bench.machine().memory(), other);
  bench.store(kHeads, 0, 8);
  bench.store(kHeads + 8, 2, 8);
  second.add({{kHeads, 16}, {kBlkData, 512, true}, {kHeads + 32, 1, true}});
  driver->notify(1);
  std::optional<UsedBuffer> used;
  EXPECT_TRUE(bench.run_until([&] { return used || (used = second.take_used()); }));
  EXPECT_EQ(bench.read(kBlkData, 512), on_disk(1024, 512));
}

TEST_F(VirtioBlkTest, ADiskThatGrowsTellsItsDriver) {
  use();
  driver->take_interrupt_status();
  bool done = false;
  backend->resize(2 * kDiskBytes, [&](Result<>) { done = true; });
  ASSERT_TRUE(bench.run_until([&] { return done; }));
  EXPECT_EQ(config(0, 4), 2 * kDiskBytes / 512);
  EXPECT_EQ(driver->take_interrupt_status(), hw::VirtioCore::kConfigInterrupt);
  EXPECT_EQ(status_of(kBlkIn, kDiskBytes / 512, {{kBlkData, 512, true}}), kFine);
}

TEST_F(VirtioBlkTest, TheThreeTypesHaveTheInterfacesOfTheirNames) {
  use({}, kAllOfBlk, "virtio-blk-pci-non-transitional");
  EXPECT_EQ(bench.config_read(VirtioPciDriver::kDevfn, 0, 4), 0x1042'1af4u);
  EXPECT_EQ(status_of(kBlkIn, 0, {{kBlkData, 512, true}}), kFine);
}

TEST_F(VirtioBlkTest, ATransitionalOneHasBoth) {
  use({}, kAllOfBlk, "virtio-blk-pci-transitional");
  EXPECT_EQ(bench.config_read(VirtioPciDriver::kDevfn, 0, 4), 0x1001'1af4u);
  ring = driver->start_legacy();
  EXPECT_EQ(status_of(kBlkIn, 0, {{kBlkData, 512, true}}), kFine);
}

TEST_F(VirtioBlkTest, HasAVectorForEachQueueAndOneForTheConfiguration) {
  use({{"num-queues", "4"}});
  driver->enable_msix(5);
  driver->modern(0x10, 4, 2);
  EXPECT_EQ(driver->modern(0x10, 2), 4u);
  driver->modern(0x10, 5, 2);
  EXPECT_EQ(driver->modern(0x10, 2), 0xffffu);
}

TEST_F(VirtioBlkTest, PropertiesThatCannotBeAreRefused) {
  EXPECT_THAT(refusal({{"logical_block_size", "1000"}}), HasSubstr("'logical_block_size': 1000"));
  EXPECT_THAT(refusal({{"logical_block_size", "4096"}, {"physical_block_size", "512"}}),
              HasSubstr("logical_block_size > physical_block_size"));
  EXPECT_THAT(refusal({{"min_io_size", "700"}}), HasSubstr("'min_io_size': 700"));
  EXPECT_THAT(refusal({{"queue-size", "100"}}), HasSubstr("queue-size property (100)"));
  EXPECT_THAT(refusal({{"num-queues", "0"}}), HasSubstr("num-queues"));
  EXPECT_THAT(refusal({{"serial", "123456789012345678901"}}), HasSubstr("'serial'"));
  EXPECT_THAT(refusal({{"scsi", "on"}}), HasSubstr("scsi=off"));
  EXPECT_THAT(refusal({{"cyls", "3"}}), HasSubstr("together"));
  EXPECT_THAT(refusal({{"class", "3"}}), HasSubstr("'class'"));
}

TEST_F(VirtioBlkTest, ItMayBeOfAnotherClass) {
  use({{"class", "0x0180"}});
  EXPECT_EQ(bench.config_read(VirtioPciDriver::kDevfn, pci::kSubclass, 2), 0x0180u);
}

TEST_F(VirtioBlkTest, WithoutADriveThereIsNone) {
  const auto added = bench.try_add("virtio-blk-pci");
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message(), HasSubstr("drive property not set"));
}

}  // namespace
}  // namespace rhea::test
