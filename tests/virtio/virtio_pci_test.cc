// SPDX-License-Identifier: GPL-2.0-or-later
// Virtio on PCI, with the entropy device behind it: identity, negotiation, queues, interrupts.
#include "tests/virtio/pci_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using hw::VirtioCore;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr u64 kHere = 0x2'0000;
constexpr unsigned kSlot3 = VirtioPciDriver::kDevfn;

class VirtioPciTest : public testing::Test {
 protected:
  VirtioPciDriver& use(const Properties& properties = {}) {
    return driver.emplace(bench, "virtio-rng-pci", properties);
  }
  std::string refusal(const Properties& properties) {
    const auto made = bench.try_add("virtio-rng-pci", properties);
    return made ? std::string("it was taken") : made.error().message();
  }
  u32 config(unsigned reg, unsigned size) { return bench.config_read(kSlot3, reg, size); }
  void ask() {
    ring->add({{kHere, 4, true}});
    driver->notify(0);
  }
  Bench bench;
  std::optional<VirtioPciDriver> driver;
  std::unique_ptr<RingDriver> ring;
};

TEST_F(VirtioPciTest, ATransitionalOneIsKnownToOldDrivers) {
  use();
  EXPECT_EQ(config(0, 4), 0x1005'1af4u);
  EXPECT_EQ(config(pci::kRevision, 4), 0x00ff'0000u);
  EXPECT_EQ(config(pci::kSubsystemVendorId, 4), 0x0004'1af4u);
  EXPECT_EQ(config(pci::kInterruptPin, 1), 1u);
  EXPECT_EQ(driver->device().bar_info(0)->size, 32u);
  EXPECT_EQ(driver->device().bar_info(1)->size, 4 * KiB);
  EXPECT_EQ(driver->device().bar_info(4)->size, 16 * KiB);
}

TEST_F(VirtioPciTest, AModernOneHasNumbersOfItsOwn) {
  use({{"disable-legacy", "on"}});
  EXPECT_EQ(config(0, 4), 0x1044'1af4u);
  EXPECT_EQ(config(pci::kRevision, 4), 0x00ff'0001u);
  EXPECT_EQ(config(pci::kSubsystemVendorId, 4), 0x1100'1af4u);
  EXPECT_EQ(driver->device().bar_info(0), std::nullopt);
}

TEST_F(VirtioPciTest, ALegacyOneHasNoCapabilitiesOfVirtio) {
  use({{"disable-modern", "on"}});
  EXPECT_EQ(config(0, 4), 0x1005'1af4u);
  EXPECT_EQ(driver->capability(1).at, 0u);
  EXPECT_EQ(driver->device().bar_info(4), std::nullopt);
}

TEST_F(VirtioPciTest, WithNeitherItIsRefused) {
  EXPECT_THAT(refusal({{"disable-modern", "on"}, {"disable-legacy", "on"}}),
              HasSubstr("neither modern nor legacy"));
}

TEST_F(VirtioPciTest, AddressesOfTheBusNeedAModernDriver) {
  EXPECT_THAT(refusal({{"iommu_platform", "on"}}), HasSubstr("disable-legacy=on"));
  EXPECT_EQ(refusal({{"iommu_platform", "on"}, {"disable-legacy", "on"}}), "it was taken");
}

TEST_F(VirtioPciTest, TooManyVectorsAreRefused) {
  EXPECT_THAT(refusal({{"vectors", "2049"}}), HasSubstr("vectors=2049"));
}

TEST_F(VirtioPciTest, CapabilitiesSayWhereThingsAre) {
  use();
  EXPECT_EQ(driver->capability(1).offset, 0u);
  EXPECT_EQ(driver->capability(3).offset, 0x1000u);
  EXPECT_EQ(driver->capability(4).offset, 0x2000u);
  EXPECT_EQ(driver->capability(2).offset, 0x3000u);
  EXPECT_EQ(driver->capability(2).length, 0x1000u);
  EXPECT_EQ(config(driver->capability(2).at + 16, 4), 4u) << "bytes from queue to queue";
  EXPECT_NE(driver->capability(5).at, 0u);
  EXPECT_EQ(driver->capability(1).bar, 4u);
}

TEST_F(VirtioPciTest, FeaturesAreThoseOfTheProperties) {
  use({{"packed", "on"}, {"event_idx", "off"}});
  EXPECT_EQ(driver->offered(), kVersion1 | kPacked | kIndirect | kRingReset);
  EXPECT_EQ(driver->legacy(0, 4), 0x1900'0000u) << "with those of legacy drivers alone";
}

TEST_F(VirtioPciTest, WhatNobodyOfferedIsRefused) {
  use();
  EXPECT_TRUE(driver->negotiate(kVersion1));
  EXPECT_FALSE(driver->negotiate(kVersion1 | kPacked));
  EXPECT_FALSE(driver->negotiate(kVersion1 | 1));
}

TEST_F(VirtioPciTest, AModernDriverMustSayThatItIsOne) {
  use();
  EXPECT_FALSE(driver->negotiate(kIndirect));
}

TEST_F(VirtioPciTest, FeaturesStandOnceTheyAreOk) {
  use();
  ASSERT_TRUE(driver->negotiate(kVersion1));
  driver->accept(kVersion1 | kEventIdx);
  driver->modern(0x08, 0, 4);
  EXPECT_EQ(driver->modern(0x0c, 4), 0u);
}

TEST_F(VirtioPciTest, NothingIsServedBeforeTheDriverIsOk) {
  use();
  ASSERT_TRUE(driver->negotiate(kVersion1));
  driver->enable_queue(0, {});
  ring = std::make_unique<SplitDriver>(driver->memory(), RingPlace{});
  ask();
  EXPECT_EQ(ring->take_used(), std::nullopt);
  driver->drive();
  EXPECT_NE(ring->take_used(), std::nullopt) << "it was notified";
}

TEST_F(VirtioPciTest, NothingIsServedOfADriverWhoseFeaturesAreNotOk) {
  use();
  driver->accept(kVersion1);
  driver->enable_queue(0, {});
  driver->set_status(VirtioCore::kDriverOk);
  ring = std::make_unique<SplitDriver>(driver->memory(), RingPlace{});
  ask();
  EXPECT_EQ(ring->take_used(), std::nullopt);
}

TEST_F(VirtioPciTest, NothingIsServedOfAQueueThatIsOff) {
  use();
  ring = driver->start(kVersion1 | kRingReset);
  driver->modern(0x3a, 1, 2);
  ask();
  EXPECT_EQ(ring->take_used(), std::nullopt);
  EXPECT_EQ(driver->status() & VirtioCore::kNeedsReset, 0);
}

TEST_F(VirtioPciTest, AQueueIsResetAloneAndUsedAgain) {
  use();
  ring = driver->start(kVersion1 | kRingReset);
  ask();
  driver->modern(0x3a, 1, 2);
  EXPECT_EQ(driver->modern(0x1c, 2), 0u);
  EXPECT_EQ(driver->modern(0x3a, 2), 0u) << "it is done";
  const RingPlace other{
      .descriptors = 0x5'0000, .driver = 0x5'1000, .device = 0x5'2000, .entries = 4};
  driver->enable_queue(0, other);
  ring = std::make_unique<SplitDriver>(driver->memory(), other);
  ask();
  EXPECT_NE(ring->take_used(), std::nullopt);
}

TEST_F(VirtioPciTest, OneThatWasNotNegotiatedIsNotResetAlone) {
  use();
  ring = driver->start(kVersion1);
  driver->modern(0x3a, 1, 2);
  EXPECT_EQ(driver->modern(0x1c, 2), 1u);
}

TEST_F(VirtioPciTest, AnEnabledQueueStaysWhereItIs) {
  use();
  ring = driver->start(kVersion1);
  driver->modern(0x20, 0x7'0000, 8);
  driver->modern(0x18, 4, 2);
  driver->modern(0x1c, 0, 2);
  EXPECT_EQ(driver->modern(0x20, 8), 0x1'0000u);
  EXPECT_EQ(driver->modern(0x18, 2), 8u);
  EXPECT_EQ(driver->modern(0x1c, 2), 1u);
}

TEST_F(VirtioPciTest, ASizeThatCannotBeIsIgnored) {
  use();
  driver->modern(0x18, 5, 2);
  driver->modern(0x18, 16, 2);
  driver->modern(0x18, 0, 2);
  EXPECT_EQ(driver->modern(0x18, 2), 8u);
  driver->modern(0x18, 2, 2);
  EXPECT_EQ(driver->modern(0x18, 2), 2u);
}

TEST_F(VirtioPciTest, QueuesThatThereAreNotHaveNothing) {
  use();
  EXPECT_EQ(driver->modern(0x12, 2), 1u);
  driver->modern(0x16, 1, 2);
  driver->modern(0x1c, 1, 2);
  driver->modern(0x3a, 1, 2);
  EXPECT_EQ(driver->modern(0x18, 2), 0u);
  EXPECT_EQ(driver->modern(0x1c, 2), 0u);
  EXPECT_EQ(driver->modern(0x1a, 2), 0xffffu);
}

TEST_F(VirtioPciTest, AStatusOfNothingIsAReset) {
  use();
  ring = driver->start(kVersion1);
  ask();
  driver->set_status(0);
  EXPECT_EQ(driver->status(), 0);
  EXPECT_EQ(driver->modern(0x1c, 2), 0u);
  EXPECT_FALSE(driver->interrupted());
}

TEST_F(VirtioPciTest, ReadingTheInterruptStatusEndsTheInterrupt) {
  use();
  ring = driver->start(kVersion1);
  ask();
  EXPECT_TRUE(driver->interrupted());
  EXPECT_EQ(driver->take_interrupt_status(), VirtioCore::kQueueInterrupt);
  EXPECT_FALSE(driver->interrupted());
  EXPECT_EQ(driver->take_interrupt_status(), 0);
}

TEST_F(VirtioPciTest, MessagesGoByTheQueuesVector) {
  use();
  driver->enable_msix(2);
  ring = driver->start(kVersion1, {}, 1);
  ask();
  EXPECT_THAT(bench.messages(), ElementsAre(MsiMessage{.address = 0xfee0'0000, .data = 0x41}));
  EXPECT_FALSE(driver->interrupted());
  EXPECT_EQ(driver->take_interrupt_status(), 0);
}

TEST_F(VirtioPciTest, AQueueWithoutAVectorSendsNothing) {
  use();
  driver->enable_msix(2);
  ring = driver->start(kVersion1);
  ask();
  EXPECT_THAT(bench.messages(), IsEmpty());
}

TEST_F(VirtioPciTest, VectorsThatThereAreNotAreNone) {
  use();
  driver->modern(0x10, 2, 2);
  EXPECT_EQ(driver->modern(0x10, 2), 0xffffu);
  driver->modern(0x10, 1, 2);
  EXPECT_EQ(driver->modern(0x10, 2), 1u);
  driver->modern(0x1a, 7, 2);
  EXPECT_EQ(driver->modern(0x1a, 2), 0xffffu);
}

TEST_F(VirtioPciTest, ABrokenQueueIsToldByTheConfigurationsVector) {
  use();
  driver->enable_msix(2);
  ring = driver->start(kVersion1, {}, 1);
  driver->modern(0x10, 0, 2);
  const u64 before = driver->modern(0x15, 1);
  static_cast<SplitDriver&>(*ring).set_available_index(100);
  driver->notify(0);
  EXPECT_THAT(bench.messages(), ElementsAre(MsiMessage{.address = 0xfee0'0000, .data = 0x40}));
  EXPECT_NE(driver->modern(0x15, 1), before);
}

TEST_F(VirtioPciTest, WithoutVectorsThereIsNoMsix) {
  use({{"vectors", "0"}});
  EXPECT_EQ(driver->device().bar_info(1), std::nullopt);
  EXPECT_EQ(driver->device().bar_info(0)->size, 32u);
}

TEST_F(VirtioPciTest, WithoutBusMasteringItWaits) {
  use();
  ring = driver->start(kVersion1);
  bench.config_write(kSlot3, pci::kCommand, pci::kCommandMemory, 2);
  ask();
  EXPECT_EQ(ring->take_used(), std::nullopt);
  EXPECT_EQ(driver->status() & VirtioCore::kNeedsReset, 0);
  bench.config_write(kSlot3, pci::kCommand, pci::kCommandMemory | pci::kCommandMaster, 2);
  EXPECT_NE(ring->take_used(), std::nullopt);
}

TEST_F(VirtioPciTest, AStoppedMachinesDeviceWaits) {
  bench.machine().resume();
  use();
  ring = driver->start(kVersion1);
  bench.machine().pause();
  ask();
  EXPECT_EQ(ring->take_used(), std::nullopt);
  bench.machine().resume();
  EXPECT_NE(ring->take_used(), std::nullopt);
}

TEST_F(VirtioPciTest, WhatWaitsIsSaved) {
  bench.machine().resume();
  use();
  ring = driver->start(kVersion1);
  bench.machine().pause();
  ask();
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(ring->take_used(), std::nullopt);
  bench.machine().resume();
  EXPECT_NE(ring->take_used(), std::nullopt);
}

TEST_F(VirtioPciTest, ASavedDriverGoesOn) {
  use({{"packed", "on"}});
  ring = driver->start(kVersion1 | kPacked | kEventIdx);
  ask();
  ring->take_used();
  const auto saved = bench.save();
  bench.reset();
  EXPECT_EQ(driver->status(), 0xff) << "its BARs are gone";
  ASSERT_TRUE(bench.load(saved));
  ask();
  EXPECT_NE(ring->take_used(), std::nullopt);
}

TEST_F(VirtioPciTest, APageForEachQueueIsAskedFor) {
  use({{"page-per-vq", "on"}});
  EXPECT_EQ(config(driver->capability(2).at + 16, 4), 0x1000u);
  EXPECT_EQ(driver->device().bar_info(4)->size, 8 * MiB);
}

TEST_F(VirtioPciTest, APortTakesNotificationsToo) {
  use({{"modern-pio-notify", "on"}});
  bench.config_write(kSlot3, 0x18, 0xd000, 4);
  ring = driver->start(kVersion1);
  ring->add({{kHere, 4, true}});
  bench.outw(0xd000, 0);
  EXPECT_NE(ring->take_used(), std::nullopt);
}

TEST_F(VirtioPciTest, ALegacyDriverIsServed) {
  use();
  auto legacy = driver->start_legacy();
  legacy->add({{kHere, 4, true}});
  driver->legacy(0x10, 0, 2);
  EXPECT_EQ(legacy->take_used()->written, 4u);
  EXPECT_TRUE(driver->interrupted());
  EXPECT_EQ(driver->legacy(0x13, 1), 1u);
  EXPECT_FALSE(driver->interrupted());
}

TEST_F(VirtioPciTest, ALegacyDriverGetsNothingThatIsNotOffered) {
  use({{"indirect_desc", "off"}});
  driver->legacy(0x04, ~u32{0}, 4);
  EXPECT_EQ(driver->legacy(0x04, 4), driver->legacy(0x00, 4));
}

TEST_F(VirtioPciTest, ALegacyDriverMayForgetToMakeItAMaster) {
  use();
  bench.config_write(kSlot3, pci::kCommand, pci::kCommandIo | pci::kCommandMemory, 2);
  auto legacy = driver->start_legacy();
  EXPECT_EQ(config(pci::kCommand, 2) & pci::kCommandMaster, pci::kCommandMaster);
  legacy->add({{kHere, 4, true}});
  driver->legacy(0x10, 0, 2);
  EXPECT_NE(legacy->take_used(), std::nullopt);
}

TEST_F(VirtioPciTest, ALegacyDriverSetsVectorsWhileMsixIsOn) {
  use();
  driver->enable_msix(2);
  driver->legacy(0x14, 0, 2);
  driver->legacy(0x16, 1, 2);
  EXPECT_EQ(driver->legacy(0x14, 4), 0x0001'0000u);
  EXPECT_EQ(driver->legacy(0x16, 2), 1u);
  auto legacy = driver->start_legacy();
  driver->legacy(0x16, 1, 2);
  legacy->add({{kHere, 4, true}});
  driver->legacy(0x10, 0, 2);
  EXPECT_THAT(bench.messages(), ElementsAre(MsiMessage{.address = 0xfee0'0000, .data = 0x41}));
}

TEST_F(VirtioPciTest, APageOfNothingResetsTheLegacyDriversDevice) {
  use();
  auto legacy = driver->start_legacy();
  driver->legacy(0x08, 0, 4);
  EXPECT_EQ(driver->legacy(0x12, 1), 0u);
  EXPECT_EQ(driver->legacy(0x08, 4), 0u);
}

TEST_F(VirtioPciTest, TheWindowInConfigurationSpaceReachesTheRegisters) {
  use();
  const unsigned window = driver->capability(5).at;
  bench.config_write(kSlot3, window + 4, 4, 1);
  bench.config_write(kSlot3, window + 8, 0x14, 4);
  bench.config_write(kSlot3, window + 12, 1, 4);
  bench.config_write(kSlot3, window + 16, 1, 4);
  EXPECT_EQ(driver->status(), 1);
  driver->set_status(3);
  EXPECT_EQ(bench.config_read(kSlot3, window + 16, 4), 3u);
}

TEST_F(VirtioPciTest, TheWindowShowsNothingElse) {
  use();
  const unsigned window = driver->capability(5).at;
  bench.config_write(kSlot3, window + 4, 4, 1);
  bench.config_write(kSlot3, window + 8, 0xffff'fffc, 4);
  bench.config_write(kSlot3, window + 12, 4, 4);
  bench.config_write(kSlot3, window + 16, 0x1234, 4);
  EXPECT_EQ(bench.config_read(kSlot3, window + 16, 4), 0x1234u) << "what was written there";
  bench.config_write(kSlot3, window + 12, 3, 4);
  bench.config_write(kSlot3, window + 8, 0x14, 4);
  bench.config_write(kSlot3, window + 16, 1, 4);
  EXPECT_EQ(driver->status(), 0);
}

}  // namespace
}  // namespace rhea::test
