// SPDX-License-Identifier: GPL-2.0-or-later
// Configuration space and slots of PCI devices.
#include "tests/pci/test_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;

constexpr unsigned kConfigDevfn = 5 << 3;

class PciConfig : public testing::Test {
 protected:
  Bench bench;
  TestPciDevice& device = add_test_device(bench, {{"addr", "5"}});
  u32 read(unsigned reg, unsigned size) { return bench.config_read(kConfigDevfn, reg, size); }
  void write(unsigned reg, u32 value, unsigned size) {
    bench.config_write(kConfigDevfn, reg, value, size);
  }
};

TEST_F(PciConfig, IdentityShows) {
  EXPECT_EQ(read(0x00, 4), 0x0005'1b36u);
  EXPECT_EQ(read(0x08, 4), 0x0580'0007u);
  EXPECT_EQ(read(0x2c, 4), 0x1100'1af4u);
  EXPECT_EQ(read(0x0e, 1), 0u);
  EXPECT_EQ(read(0x3d, 1), 1u);
}

TEST_F(PciConfig, IdentityIsReadOnly) {
  write(0x00, 0xffff'ffff, 4);
  write(0x08, 0xffff'ffff, 4);
  write(0x2c, 0xffff'ffff, 4);
  EXPECT_EQ(read(0x00, 4), 0x0005'1b36u);
  EXPECT_EQ(read(0x08, 4), 0x0580'0007u);
  EXPECT_EQ(read(0x2c, 4), 0x1100'1af4u);
}

TEST_F(PciConfig, NarrowAccessesSeeTheirBytes) {
  EXPECT_EQ(read(TestPciDevice::kScratch, 1), 0x44u);
  EXPECT_EQ(read(TestPciDevice::kScratch + 1, 1), 0x33u);
  EXPECT_EQ(read(TestPciDevice::kScratch + 1, 2), 0x2233u);
  EXPECT_EQ(read(TestPciDevice::kScratch + 2, 2), 0x1122u);
}

TEST_F(PciConfig, WritesChangeWritableBitsOfEveryByteTheySpan) {
  write(TestPciDevice::kScratch, 0xaabb'ccdd, 4);
  EXPECT_EQ(read(TestPciDevice::kScratch, 4), 0x11bb'cc44u);
  write(TestPciDevice::kScratch + 1, 0x5566, 2);
  EXPECT_EQ(read(TestPciDevice::kScratch, 4), 0x1155'6644u);
  write(TestPciDevice::kScratch + 2, 0x77, 1);
  EXPECT_EQ(read(TestPciDevice::kScratch, 4), 0x1177'6644u);
}

TEST_F(PciConfig, StickyBitsAreClearedByWritingOnes) {
  write(TestPciDevice::kSticky, 0x10, 2);
  EXPECT_EQ(read(TestPciDevice::kSticky, 2), 0x00e0u);
  write(TestPciDevice::kSticky, 0x00, 2);
  EXPECT_EQ(read(TestPciDevice::kSticky, 2), 0x00e0u);
  write(TestPciDevice::kSticky, 0xffff, 2);
  EXPECT_EQ(read(TestPciDevice::kSticky, 2), 0x00c0u);
}

TEST_F(PciConfig, StatusErrorsAreClearedByWritingOnes) {
  device.config_put8(0x07, 0xa8);
  write(0x06, 0x2000, 2);
  EXPECT_EQ(read(0x06, 2), 0x8810u);
}

TEST_F(PciConfig, InterruptLineAndLatencyHoldWhatFirmwareWrites) {
  write(0x3c, 0x0b, 1);
  write(0x0d, 0x40, 1);
  EXPECT_EQ(read(0x3c, 1), 0x0bu);
  EXPECT_EQ(read(0x0d, 1), 0x40u);
}

TEST_F(PciConfig, ResetBringsBackResetValues) {
  write(TestPciDevice::kScratch, 0xffff'ffff, 4);
  write(0x04, 0x0007, 2);
  write(0x3c, 0x0b, 1);
  bench.reset();
  EXPECT_EQ(read(TestPciDevice::kScratch, 4), 0x1122'3344u);
  EXPECT_EQ(read(0x04, 2), 0u);
  EXPECT_EQ(read(0x3c, 1), 0u);
}

TEST_F(PciConfig, AbsentFunctionsReadAsAllOnes) {
  EXPECT_EQ(bench.config_read(kConfigDevfn + 1, 0, 4), 0xffff'ffffu);
  EXPECT_EQ(bench.config_read(6 << 3, 0, 2), 0xffffu);
  EXPECT_EQ(bench.config_read(6 << 3, 0, 1), 0xffu);
}

TEST_F(PciConfig, AccessesBeyondConfigurationSpaceAreHarmless) {
  write(0xfe, 0xffff'ffff, 4);
  EXPECT_EQ(read(0xfe, 4), 0xffff'ffffu);
  EXPECT_EQ(read(0x100, 1), 0xffu);
}

TEST_F(PciConfig, StateSurvivesASnapshot) {
  write(TestPciDevice::kScratch, 0x00ab'cd00, 4);
  write(0x3c, 0x0a, 1);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(read(TestPciDevice::kScratch, 4), 0x11ab'cd44u);
  EXPECT_EQ(read(0x3c, 1), 0x0au);
  EXPECT_EQ(bench.save(), saved);
}

TEST_F(PciConfig, ASnapshotWithAnotherIdentityIsRefused) {
  device.config_put8(0x02, 0x06);
  const auto saved = bench.save();
  device.config_put8(0x02, 0x05);
  const auto loaded = bench.load(saved);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message(), HasSubstr("another device"));
}

TEST_F(PciConfig, ARefusedSnapshotDoesNotMoveTheInterrupt) {
  device.set_intx(true);
  device.config_put8(pci::kInterruptPin, 4);
  const auto saved = bench.save();
  device.config_put8(pci::kInterruptPin, 1);
  EXPECT_FALSE(bench.load(saved));
  device.set_intx(false);
  EXPECT_FALSE(bench.intx(1));
}

TEST_F(PciConfig, CapabilitiesAreAList) {
  EXPECT_EQ(read(0x06, 2) & 0x10, 0x10u);
  EXPECT_EQ(read(0x34, 1), kMsi);
  EXPECT_EQ(read(kMsi, 2), 0x0005u | kMsix << 8);
  EXPECT_EQ(read(kMsi + 2, 2), 0x0084u);
  EXPECT_EQ(read(kMsix, 2), 0x0011u | kPower << 8);
  EXPECT_EQ(read(kPower, 2), 0x0001u | kOwn << 8);
  EXPECT_EQ(read(kOwn, 4), 0x4205'0009u | kExpress << 8);
  EXPECT_EQ(read(kExpress, 4), 0x0002'0010u);
}

TEST(PciSlots, DevicesTakeTheFirstFreeSlot) {
  Bench bench;
  EXPECT_EQ(add_test_device(bench).devfn(), 0 << 3);
  EXPECT_EQ(add_test_device(bench, {{"addr", "1"}}).devfn(), 1 << 3);
  EXPECT_EQ(add_test_device(bench).devfn(), 2 << 3);
}

TEST(PciSlots, AddressesAreHexadecimalWithAnOptionalFunction) {
  Bench bench;
  EXPECT_EQ(add_test_device(bench, {{"addr", "10"}}).devfn(), 0x10 << 3);
  EXPECT_EQ(add_test_device(bench, {{"addr", "05.1"}}).devfn(), 5 << 3 | 1);
  EXPECT_EQ(add_test_device(bench, {{"addr", "0x1f.0x7"}}).devfn(), 0x1f << 3 | 7);
}

TEST(PciSlots, AddressIsShownOncePlugged) {
  Bench bench;
  EXPECT_EQ(add_test_device(bench, {{"addr", "5"}}).get("addr").value(), Value(i64{5 << 3}));
}

TEST(PciSlots, ImpossibleAddressesAreErrors) {
  Bench bench;
  EXPECT_THAT(bench.try_add("test-pci", {{"addr", "20"}}).error().message(), HasSubstr("'20'"));
  EXPECT_THAT(bench.try_add("test-pci", {{"addr", "1.8"}}).error().message(), HasSubstr("'1.8'"));
  EXPECT_THAT(bench.try_add("test-pci", {{"addr", "x"}}).error().message(),
              HasSubstr("test-pci.addr"));
  EXPECT_FALSE(bench.try_add("test-pci", {{"addr", "1."}}));
  EXPECT_FALSE(bench.try_add("test-pci", {{"addr", ""}}));
}

TEST(PciSlots, ATakenSlotIsAnErrorThatNamesBoth) {
  Bench bench;
  bench.add("edu", {{"addr", "3"}});
  EXPECT_EQ(bench.try_add("test-pci", {{"addr", "3"}}).error().message(),
            "PCI: slot 3 function 0 not available for test-pci, in use by edu");
}

TEST(PciSlots, FunctionsShareAMultifunctionSlot) {
  Bench bench;
  add_test_device(bench, {{"addr", "4.0"}, {"multifunction", "on"}});
  EXPECT_EQ(add_test_device(bench, {{"addr", "4.1"}}).function(), 1);
  EXPECT_EQ(bench.config_read(4 << 3, 0x0e, 1), 0x80u);
}

TEST(PciSlots, FunctionsDoNotJoinASingleFunctionDevice) {
  Bench bench;
  add_test_device(bench, {{"addr", "4"}});
  EXPECT_THAT(bench.try_add("test-pci", {{"addr", "4.1"}}).error().message(),
              HasSubstr("single-function"));
}

TEST(PciSlots, ASingleFunctionDeviceDoesNotJoinFunctions) {
  Bench bench;
  add_test_device(bench, {{"addr", "4.2"}});
  EXPECT_THAT(bench.try_add("test-pci", {{"addr", "4"}}).error().message(), HasSubstr("4.2"));
  EXPECT_TRUE(bench.try_add("test-pci", {{"addr", "4"}, {"multifunction", "on"}}));
}

TEST(PciSlots, AFullBusIsAnError) {
  Bench bench;
  for (int i = 0; i < 32; ++i) add_test_device(bench);
  EXPECT_THAT(bench.try_add("test-pci").error().message(),
              HasSubstr("no slot available for test-pci"));
}

TEST(PciSlots, AnUnpluggedDeviceFreesItsSlot) {
  Bench bench;
  TestPciDevice& device = add_test_device(bench, {{"addr", "3"}});
  ASSERT_TRUE(bench.machine().unplug(device));
  EXPECT_EQ(bench.config_read(3 << 3, 0, 4), 0xffff'ffffu);
  EXPECT_TRUE(bench.try_add("test-pci", {{"addr", "3"}}));
}

}  // namespace
}  // namespace rhea::test
