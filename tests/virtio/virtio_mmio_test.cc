// SPDX-License-Identifier: GPL-2.0-or-later
// Virtio by registers in memory: what holds for every layout, and what for each version alone.
#include "tests/support/fake_rng.h"
#include "tests/support/net_peer.h"
#include "tests/virtio/mmio_driver.h"
#include "tests/virtio/pci_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace rhea::test {
namespace {

using hw::VirtioCore;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr u64 kPlace = 0x2'0000;

/// What driver and device speak.
struct MmioKind {
  const char* name;
  bool legacy, packed;
};

class VirtioMmioTest : public testing::Test {
 protected:
  VirtioMmioTest() { source.there = 1000; }
  VirtioMmioDriver& use(bool legacy, Properties more = {}) {
    more.emplace_back("rng", "source");
    return driver.emplace(bench, legacy, "virtio-rng-device", more);
  }
  u16 ask(u32 bytes = 4) {
    const u16 id = ring->add({{kPlace, bytes, true}});
    driver->notify(0);
    return id;
  }
  Bench bench;
  FakeRng& source = FakeRng::make(bench.machine(), "source");
  std::optional<VirtioMmioDriver> driver;
  std::unique_ptr<RingDriver> ring;
};

// ---- Whatever is spoken

class VirtioMmioKinds : public VirtioMmioTest, public testing::WithParamInterface<MmioKind> {
 protected:
  static u64 features() {
    return (GetParam().legacy ? 0 : kVersion1) | (GetParam().packed ? kPacked : 0);
  }
  VirtioMmioDriver& begin(std::string_view type, Properties more = {}) {
    if (GetParam().packed) more.emplace_back("packed", "on");
    driver.emplace(bench, GetParam().legacy, type, more);
    ring = driver->start(features(), GetParam().packed);
    return *driver;
  }
  void begin() { begin("virtio-rng-device", {{"rng", "source"}}); }
};

TEST_P(VirtioMmioKinds, ABufferIsServed) {
  begin();
  const u16 id = ask();
  EXPECT_EQ(ring->take_used(), (UsedBuffer{.id = id, .written = 4}));
  EXPECT_THAT(bench.read(kPlace, 5), ElementsAre(1, 2, 3, 4, 0));
}

TEST_P(VirtioMmioKinds, TheInterruptStaysUntilItIsAcknowledged) {
  begin();
  EXPECT_FALSE(driver->interrupted());
  ask();
  EXPECT_TRUE(driver->interrupted());
  EXPECT_EQ(driver->get(0x60), VirtioCore::kQueueInterrupt);
  EXPECT_TRUE(driver->interrupted()) << "a look changes nothing";
  driver->put(0x64, VirtioCore::kConfigInterrupt);
  EXPECT_TRUE(driver->interrupted()) << "that was another cause";
  driver->put(0x64, VirtioCore::kQueueInterrupt);
  EXPECT_FALSE(driver->interrupted());
  EXPECT_EQ(driver->get(0x60), 0u);
}

TEST_P(VirtioMmioKinds, AStatusOfNothingIsAReset) {
  begin();
  ask();
  driver->set_status(0);
  EXPECT_EQ(driver->status(), 0);
  EXPECT_EQ(driver->get(0x44), 0u);
  EXPECT_EQ(driver->get(0x40), 0u);
  EXPECT_EQ(driver->get(0x60), 0u);
  EXPECT_FALSE(driver->interrupted());
}

TEST_P(VirtioMmioKinds, ADriverStartsAgainAfterTheMachinesReset) {
  begin();
  ask();
  bench.reset();
  EXPECT_EQ(driver->status(), 0);
  bench.write(VirtioMmioDriver::kRing, std::vector<u8>(0x2000, 0));
  ring = driver->start(features(), GetParam().packed);
  ask();
  EXPECT_NE(ring->take_used(), std::nullopt);
}

TEST_P(VirtioMmioKinds, ASavedDriverGoesOn) {
  begin();
  ask();
  ring->take_used();
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_TRUE(driver->interrupted());
  EXPECT_EQ(bench.save(), saved);
  driver->put(0x64, VirtioCore::kQueueInterrupt);
  ask();
  EXPECT_NE(ring->take_used(), std::nullopt);
  EXPECT_TRUE(driver->interrupted());
}

TEST_P(VirtioMmioKinds, AStoppedMachinesDeviceWaits) {
  bench.machine().resume();
  begin();
  bench.machine().pause();
  ask();
  EXPECT_EQ(ring->take_used(), std::nullopt);
  bench.machine().resume();
  EXPECT_NE(ring->take_used(), std::nullopt);
}

TEST_P(VirtioMmioKinds, NothingIsServedBeforeTheDriverIsOk) {
  begin();
  driver->negotiate(features());
  ring = driver->enable_queue(0, 0x6'0000, GetParam().packed);
  ask();
  EXPECT_EQ(ring->take_used(), std::nullopt);
  driver->drive();
  EXPECT_NE(ring->take_used(), std::nullopt) << "it was notified";
}

TEST_P(VirtioMmioKinds, OnlyWholeRegistersAreTouched) {
  begin();
  EXPECT_EQ(bench.load(VirtioMmioDriver::kRegisters + 0x70, 1), 0u);
  bench.store(VirtioMmioDriver::kRegisters + 0x70, 0, 1);
  bench.store(VirtioMmioDriver::kRegisters + 0x70, 0, 2);
  EXPECT_NE(driver->status() & VirtioCore::kDriverOk, 0);
}

TEST_P(VirtioMmioKinds, QueuesThatThereAreNotHaveNothing) {
  begin();
  driver->put(0x30, 0x1'0000);
  EXPECT_EQ(driver->get(0x34), 0u);
  driver->put(0x30, 1);
  driver->put(0x38, 4);
  driver->put(0x3c, 4096);
  driver->put(0x40, 7);
  driver->put(0x44, 1);
  driver->put(0xc0, 1);
  driver->notify(1);
  driver->notify(0x1'0000);
  EXPECT_EQ(driver->get(0x34), 0u);
  EXPECT_EQ(driver->get(0x40), 0u);
  EXPECT_EQ(driver->get(0x44), 0u);
  EXPECT_EQ(driver->status() & VirtioCore::kNeedsReset, 0);
}

TEST_P(VirtioMmioKinds, ABufferInItsOwnRegistersDoesNoHarm) {
  begin();
  ring->add({{VirtioMmioDriver::kRegisters, 16, true}});
  driver->notify(0);
  EXPECT_EQ(ring->take_used(), std::nullopt);
  bench.write(VirtioMmioDriver::kRing, std::vector<u8>(0x2000, 0));
  ring = driver->start(features(), GetParam().packed);
  ask();
  EXPECT_NE(ring->take_used(), std::nullopt);
}

TEST_P(VirtioMmioKinds, ADiskIsRead) {
  const auto disk = make_fake_disk(bench, "disk0", 1 * MiB);
  (*disk)[512] = 0x5a;
  begin("virtio-blk-device", {{"drive", "disk0"}});
  bench.write(kPlace, std::vector<u8>(16, 0));
  bench.store(kPlace + 8, 1, 8);
  bench.store(kPlace + 16, 0xee, 1);
  ring->add({{kPlace, 16}, {kPlace + 0x1000, 512, true}, {kPlace + 16, 1, true}});
  driver->notify(0);
  ASSERT_TRUE(bench.run_until([&] { return driver->interrupted(); }));
  EXPECT_EQ(ring->take_used()->written, 513u);
  EXPECT_EQ(bench.load(kPlace + 0x1000, 1), 0x5au);
  EXPECT_EQ(bench.load(kPlace + 16, 1), 0u);
  EXPECT_EQ(driver->config(0, 4), 2048u) << "sectors";
  EXPECT_EQ(driver->config(0xfc, 4), 0u) << "behind the configuration's end";
}

TEST_P(VirtioMmioKinds, ACardSendsAndReceives) {
  NetPeer peer(bench.machine(), "net0");
  begin("virtio-net-device", {{"netdev", "net0"}, {"mac", "52:54:00:12:34:56"}});
  driver->negotiate(features());
  ring = driver->enable_queue(0, 0x6'0000, GetParam().packed);
  const auto sending = driver->enable_queue(1, 0x8'0000, GetParam().packed);
  driver->drive();
  bench.machine().resume();
  FrameBytes frame(60, 0x11);
  std::fill_n(frame.begin(), 6, u8{0xff});
  const u32 header = GetParam().legacy ? 10 : 12;
  bench.write(kPlace, std::vector<u8>(header, 0));
  bench.write(kPlace + 0x100, frame);
  sending->add({{kPlace, header}, {kPlace + 0x100, 60}});
  driver->notify(1);
  EXPECT_EQ(peer.take(), frame);
  ring->add({{kPlace + 0x1000, header, true}, {kPlace + 0x1100, 2048, true}});
  driver->notify(0);
  peer.give(frame);
  ASSERT_TRUE(bench.run_until([&] { return bench.load(kPlace + 0x1100, 1) == 0xff; }));
  EXPECT_EQ(bench.read(kPlace + 0x1100, 60), frame);
  EXPECT_EQ(driver->config(0, 4), 0x1200'5452u);
}

INSTANTIATE_TEST_SUITE_P(All, VirtioMmioKinds,
                         testing::Values(MmioKind{"Legacy", true, false},
                                         MmioKind{"Split", false, false},
                                         MmioKind{"Packed", false, true}),
                         [](const auto& tested) { return std::string(tested.param.name); });

// ---- Version 2

TEST_F(VirtioMmioTest, ItSaysWhatItIs) {
  use(false);
  EXPECT_EQ(driver->get(0x00), 0x7472'6976u);
  EXPECT_EQ(driver->get(0x04), 2u);
  EXPECT_EQ(driver->get(0x08), 4u);
  EXPECT_EQ(driver->get(0x0c), 0x554d'4551u);
  EXPECT_EQ(driver->get(0x34), 8u);
}

TEST_F(VirtioMmioTest, FeaturesAreThoseOfTheProperties) {
  use(false, {{"packed", "on"}, {"event_idx", "off"}});
  EXPECT_EQ(driver->offered(), kVersion1 | kPacked | kIndirect | kRingReset);
  driver->put(0x14, 2);
  EXPECT_EQ(driver->get(0x10), 0u);
}

TEST_F(VirtioMmioTest, WhatNobodyOfferedIsRefused) {
  use(false);
  EXPECT_TRUE(driver->negotiate(kVersion1));
  EXPECT_FALSE(driver->negotiate(kVersion1 | kPacked));
  EXPECT_FALSE(driver->negotiate(kIndirect)) << "without version 1";
}

TEST_F(VirtioMmioTest, AQueueThatIsNotReadyIsNotLookedAt) {
  use(false);
  ring = driver->start(kVersion1);
  driver->put(0x44, 0);
  EXPECT_EQ(driver->get(0x44), 0u);
  ask();
  EXPECT_EQ(ring->take_used(), std::nullopt);
}

TEST_F(VirtioMmioTest, AReadyQueueStaysWhereItIs) {
  use(false);
  ring = driver->start(kVersion1);
  driver->put(0x80, 0x7'0000);
  driver->put(0x90, 0x7'0000);
  driver->put(0xa0, 0x7'0000);
  driver->put(0x38, 4);
  ask();
  EXPECT_NE(ring->take_used(), std::nullopt);
}

TEST_F(VirtioMmioTest, AQueueIsResetAloneAndUsedAgain) {
  use(false);
  ring = driver->start(kVersion1 | kRingReset);
  ask();
  driver->put(0xc0, 1);
  EXPECT_EQ(driver->get(0x44), 0u);
  EXPECT_EQ(driver->get(0xc0), 0u) << "it is done";
  ring = driver->enable_queue(0, 0x6'0000);
  ask();
  EXPECT_NE(ring->take_used(), std::nullopt);
}

TEST_F(VirtioMmioTest, AResetThatWasNotNegotiatedIsNone) {
  use(false);
  ring = driver->start(kVersion1);
  driver->put(0xc0, 1);
  EXPECT_EQ(driver->get(0x44), 1u);
}

TEST_F(VirtioMmioTest, ABrokenQueueIsToldAsAChangeOfTheConfiguration) {
  use(false);
  ring = driver->start(kVersion1);
  const u64 before = driver->get(0xfc);
  static_cast<SplitDriver&>(*ring).set_available_index(100);
  driver->notify(0);
  EXPECT_EQ(driver->get(0x60), VirtioCore::kConfigInterrupt);
  EXPECT_NE(driver->get(0xfc), before);
  EXPECT_NE(driver->status() & VirtioCore::kNeedsReset, 0);
}

TEST_F(VirtioMmioTest, OldRegistersAreNotThere) {
  use(false);
  driver->put(0x28, 4096);
  driver->put(0x40, 0x40);
  EXPECT_EQ(driver->get(0x40), 0u);
  EXPECT_EQ(driver->get(0x44), 0u);
}

TEST_F(VirtioMmioTest, ThereIsNoSharedMemory) {
  use(false);
  driver->put(0xac, 0);
  EXPECT_EQ(driver->get(0xb0), 0xffff'ffffu);
  EXPECT_EQ(driver->get(0xb4), 0xffff'ffffu);
}

// ---- Version 1

TEST_F(VirtioMmioTest, AnOldOneOffersWhatOldDriversKnow) {
  use(true, {{"packed", "on"}});
  EXPECT_EQ(driver->get(0x04), 1u);
  EXPECT_EQ(driver->offered(), 0x3900'0000u);
}

TEST_F(VirtioMmioTest, AnOldDriverGetsNothingThatIsNotOffered) {
  use(true, {{"indirect_desc", "off"}});
  ring = driver->start(~u64{0});
  ring->add_indirect({{kPlace, 4, true}}, 0x3'0000);
  driver->notify(0);
  EXPECT_EQ(ring->take_used(), std::nullopt);
}

TEST_F(VirtioMmioTest, APageOfNothingResetsItsQueueAlone) {
  use(true);
  ring = driver->start(0);
  EXPECT_EQ(driver->get(0x40), 0x40u);
  driver->put(0x40, 0);
  EXPECT_EQ(driver->get(0x40), 0u);
  EXPECT_NE(driver->status() & VirtioCore::kDriverOk, 0);
  ring = driver->enable_queue(0, 0x6'0000);
  ask();
  EXPECT_NE(ring->take_used(), std::nullopt);
}

TEST_F(VirtioMmioTest, PagesOfNoSizePlaceNothing) {
  use(true);
  driver->put(0x28, 0);
  driver->put(0x28, 3000);
  driver->put(0x40, 0x40);
  EXPECT_EQ(driver->get(0x40), 0u);
}

TEST_F(VirtioMmioTest, TheUsedRingLiesWhereTheDriverAlignsIt) {
  use(true);
  driver->negotiate(0);
  driver->put(0x30, 0);
  driver->put(0x38, 8);
  driver->put(0x3c, 0);
  driver->put(0x3c, 64);
  driver->put(0x40, 0x40);
  driver->drive();
  const RingPlace place{
      .descriptors = 0x4'0000, .driver = 0x4'0080, .device = 0x4'00c0, .entries = 8};
  ring = std::make_unique<SplitDriver>(bench.machine().memory(), place);
  ask();
  EXPECT_NE(ring->take_used(), std::nullopt);
}

TEST_F(VirtioMmioTest, NewRegistersAreNotThereForOldDrivers) {
  use(true);
  ring = driver->start(0);
  driver->put(0x44, 0);
  driver->put(0x80, 0x7'0000);
  driver->put(0xc0, 1);
  ask();
  EXPECT_NE(ring->take_used(), std::nullopt);
}

TEST_F(VirtioMmioTest, AddressesOfTheBusNeedANewDriver) {
  VirtioMmioDriver old(bench, true, "", {});
  const auto made = bench.try_add("virtio-rng-device", {{"iommu_platform", "on"}});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message(), HasSubstr("force-legacy=off"));
  EXPECT_EQ(old.get(0x08), 0u);
}

}  // namespace
}  // namespace rhea::test
