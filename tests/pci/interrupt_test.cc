// SPDX-License-Identifier: GPL-2.0-or-later
// INTx and MSI of PCI devices.
#include "tests/pci/test_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr unsigned kInterruptDevfn = 3 << 3;
constexpr unsigned kLink = 3;

class PciInterrupt : public testing::Test {
 protected:
  Bench bench;
  TestPciDevice& device = add_test_device(bench, {{"addr", "3"}});
  void command(u16 bits) { bench.config_write(kInterruptDevfn, 0x04, bits, 2); }
  void enable_msi(u16 control = 1) {
    command(pci::kCommandMaster);
    bench.config_write(kInterruptDevfn, kMsi + 4, 0xfee0'1003, 4);
    bench.config_write(kInterruptDevfn, kMsi + 8, 0x0000'0001, 4);
    bench.config_write(kInterruptDevfn, kMsi + 12, 0x4041, 2);
    bench.config_write(kInterruptDevfn, kMsi + 2, control, 2);
  }
};

TEST_F(PciInterrupt, IntxRaisesTheSlotsLink) {
  device.set_intx(true);
  EXPECT_TRUE(bench.intx(kLink));
  EXPECT_TRUE(bench.pci().link_level(kLink));
  device.set_intx(false);
  EXPECT_FALSE(bench.intx(kLink));
}

TEST_F(PciInterrupt, StatusShowsIntx) {
  device.set_intx(true);
  EXPECT_EQ(bench.config_read(kInterruptDevfn, 0x06, 2) & pci::kStatusInterrupt,
            pci::kStatusInterrupt);
  device.set_intx(false);
  EXPECT_EQ(bench.config_read(kInterruptDevfn, 0x06, 2) & pci::kStatusInterrupt, 0);
}

TEST_F(PciInterrupt, DevicesOnOneLinkAreWiredOr) {
  TestPciDevice& other = add_test_device(bench, {{"addr", "7"}});
  device.set_intx(true);
  other.set_intx(true);
  device.set_intx(false);
  EXPECT_TRUE(bench.intx(kLink));
  other.set_intx(false);
  EXPECT_FALSE(bench.intx(kLink));
}

TEST_F(PciInterrupt, SettingTheSameLevelTwiceCountsOnce) {
  device.set_intx(true);
  device.set_intx(true);
  device.set_intx(false);
  EXPECT_FALSE(bench.intx(kLink));
}

TEST_F(PciInterrupt, DisablingIntxHidesThePinNotTheStatus) {
  device.set_intx(true);
  command(pci::kCommandIntxDisable);
  EXPECT_FALSE(bench.intx(kLink));
  EXPECT_EQ(bench.config_read(kInterruptDevfn, 0x06, 2) & pci::kStatusInterrupt,
            pci::kStatusInterrupt);
  command(0);
  EXPECT_TRUE(bench.intx(kLink));
}

TEST_F(PciInterrupt, ResetLowersIntx) {
  device.set_intx(true);
  bench.reset();
  EXPECT_FALSE(bench.intx(kLink));
}

TEST_F(PciInterrupt, LoadingRestoresTheLevelAndTheCount) {
  TestPciDevice& other = add_test_device(bench, {{"addr", "7"}});
  device.set_intx(true);
  other.set_intx(true);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_TRUE(bench.intx(kLink));
  device.set_intx(false);
  EXPECT_TRUE(bench.intx(kLink));
  other.set_intx(false);
  EXPECT_FALSE(bench.intx(kLink));
}

TEST_F(PciInterrupt, LoadingALowLevelLowersTheLink) {
  const auto saved = bench.save();
  device.set_intx(true);
  ASSERT_TRUE(bench.load(saved));
  EXPECT_FALSE(bench.intx(kLink));
}

TEST_F(PciInterrupt, UnpluggingLowersIntx) {
  TestPciDevice& other = add_test_device(bench, {{"addr", "7"}});
  other.set_intx(true);
  ASSERT_TRUE(bench.machine().unplug(other));
  EXPECT_FALSE(bench.intx(kLink));
}

TEST_F(PciInterrupt, NoMessageUntilEnabled) {
  EXPECT_FALSE(device.notify_msi());
  EXPECT_THAT(bench.messages(), IsEmpty());
}

TEST_F(PciInterrupt, MsiSendsAddressAndData) {
  enable_msi();
  EXPECT_TRUE(device.notify_msi());
  EXPECT_THAT(bench.messages(), ElementsAre(MsiMessage{.address = 0x1'fee0'1000, .data = 0x4041}));
}

TEST_F(PciInterrupt, MsiVectorsReplaceTheLowBitsThatWereGranted) {
  enable_msi(0x0021);
  device.notify_msi(0);
  device.notify_msi(3);
  EXPECT_THAT(bench.messages(), ElementsAre(MsiMessage{.address = 0x1'fee0'1000, .data = 0x4040},
                                            MsiMessage{.address = 0x1'fee0'1000, .data = 0x4043}));
}

TEST_F(PciInterrupt, MoreVectorsThanThereAreAreNotGranted) {
  enable_msi(0x0071);
  device.notify_msi(7);
  EXPECT_THAT(bench.messages(), ElementsAre(MsiMessage{.address = 0x1'fee0'1000, .data = 0x4043}));
}

TEST_F(PciInterrupt, EnablingMsiTakesIntxOffTheBus) {
  device.set_intx(true);
  enable_msi();
  EXPECT_FALSE(bench.intx(kLink));
}

TEST_F(PciInterrupt, MessagesNeedBusMastering) {
  enable_msi();
  command(0);
  EXPECT_TRUE(device.notify_msi());
  EXPECT_THAT(bench.messages(), IsEmpty());
}

TEST_F(PciInterrupt, MsiControlKeepsItsReadOnlyBits) {
  bench.config_write(kInterruptDevfn, kMsi, 0xffff'ffff, 4);
  EXPECT_EQ(bench.config_read(kInterruptDevfn, kMsi, 4), 0x00f5'0005u | kMsix << 8);
}

TEST_F(PciInterrupt, ResetAndLoadOfMsi) {
  enable_msi();
  const auto saved = bench.save();
  bench.reset();
  EXPECT_FALSE(device.msi_enabled());
  ASSERT_TRUE(bench.load(saved));
  EXPECT_TRUE(device.notify_msi());
  EXPECT_THAT(bench.messages(), ElementsAre(MsiMessage{.address = 0x1'fee0'1000, .data = 0x4041}));
}

}  // namespace
}  // namespace rhea::test
