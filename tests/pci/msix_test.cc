// SPDX-License-Identifier: GPL-2.0-or-later
// MSI-X of PCI devices.
#include "tests/pci/test_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr unsigned kMsixDevfn = 3 << 3;
constexpr u64 kMsixBase = 0xe000'0000;
constexpr u64 kEntries = kMsixBase + TestPciDevice::kMsixTable;
constexpr u64 kPendingBits = kEntries + 16 * TestPciDevice::kMsixVectors;
constexpr u16 kMsixEnable = 0x8000, kMaskAll = 0x4000;
constexpr unsigned kMsixLink = 3;

class PciMsix : public testing::Test {
 protected:
  Bench bench;
  TestPciDevice& device = add_test_device(bench, {{"addr", "3"}});
  PciMsix() {
    bench.config_write(kMsixDevfn, kMemoryBar, kMsixBase, 4);
    command(pci::kCommandMemory | pci::kCommandMaster);
  }
  void command(u16 bits) { bench.config_write(kMsixDevfn, 0x04, bits, 2); }
  void control(u16 bits) { bench.config_write(kMsixDevfn, kMsix + 2, bits, 2); }
  static u64 entry(unsigned vector) { return kEntries + u64{vector} * 16; }
  void set_entry(unsigned vector, u64 address, u32 data, u32 masked = 0) {
    bench.store(entry(vector), address, 8);
    bench.store(entry(vector) + 8, data, 4);
    bench.store(entry(vector) + 12, masked, 4);
  }
};

TEST_F(PciMsix, CapabilityTellsTheTableAndWhereItLies) {
  EXPECT_EQ(bench.config_read(kMsixDevfn, kMsix, 1), 0x11U);
  EXPECT_EQ(bench.config_read(kMsixDevfn, kMsix + 2, 2), TestPciDevice::kMsixVectors - 1);
  EXPECT_EQ(bench.config_read(kMsixDevfn, kMsix + 4, 4), TestPciDevice::kMsixTable);
  EXPECT_EQ(bench.config_read(kMsixDevfn, kMsix + 8, 4), kPendingBits - kMsixBase);
}

TEST_F(PciMsix, OnlyEnableAndFunctionMaskCanBeWritten) {
  bench.config_write(kMsixDevfn, kMsix + 2, 0xffff, 2);
  EXPECT_EQ(bench.config_read(kMsixDevfn, kMsix + 2, 2),
            kMsixEnable | kMaskAll | (TestPciDevice::kMsixVectors - 1));
  bench.config_write(kMsixDevfn, kMsix + 4, 0xffff'ffff, 4);
  EXPECT_EQ(bench.config_read(kMsixDevfn, kMsix + 4, 4), TestPciDevice::kMsixTable);
}

TEST_F(PciMsix, EntriesAreMaskedAfterReset) {
  set_entry(5, 0xfee0'0000, 0x30);
  bench.reset();
  bench.config_write(kMsixDevfn, kMemoryBar, kMsixBase, 4);
  command(pci::kCommandMemory);
  EXPECT_EQ(bench.load(entry(5), 4), 0U);
  EXPECT_EQ(bench.load(entry(5) + 8, 4), 0U);
  EXPECT_EQ(bench.load(entry(5) + 12, 4), 1U);
}

TEST_F(PciMsix, EntriesKeepTheirBitsButTheReservedOnes) {
  set_entry(69, 0x1234'5678'fee0'1003, 0xdead'beef, 0xffff'ffff);
  EXPECT_EQ(bench.load(entry(69), 8), 0x1234'5678'fee0'1000U);
  EXPECT_EQ(bench.load(entry(69) + 8, 4), 0xdead'beefU);
  EXPECT_EQ(bench.load(entry(69) + 12, 4), 1U);
}

TEST_F(PciMsix, SendsTheEntrysMessage) {
  control(kMsixEnable);
  set_entry(7, 0x1'fee0'1000, 0x4041);
  EXPECT_TRUE(device.notify_msi(7));
  EXPECT_THAT(bench.messages(), ElementsAre(MsiMessage{.address = 0x1'fee0'1000, .data = 0x4041}));
}

TEST_F(PciMsix, AMaskedVectorWaitsUntilItIsUnmasked) {
  control(kMsixEnable);
  set_entry(66, 0xfee0'0000, 0x42, 1);
  EXPECT_TRUE(device.notify_msi(66));
  EXPECT_TRUE(device.notify_msi(66));
  EXPECT_THAT(bench.messages(), IsEmpty());
  EXPECT_EQ(bench.load(kPendingBits + 8, 8), u64{1} << 2);
  bench.store(entry(66) + 12, 0, 4);
  EXPECT_THAT(bench.messages(), ElementsAre(MsiMessage{.address = 0xfee0'0000, .data = 0x42}));
  EXPECT_EQ(bench.load(kPendingBits + 8, 8), 0U);
}

TEST_F(PciMsix, TheFunctionMaskHoldsAll) {
  control(kMsixEnable | kMaskAll);
  set_entry(0, 0xfee0'0000, 0x50);
  set_entry(69, 0xfee0'0000, 0x51);
  device.notify_msi(0);
  device.notify_msi(69);
  EXPECT_THAT(bench.messages(), IsEmpty());
  control(kMsixEnable);
  EXPECT_THAT(bench.messages(), ElementsAre(MsiMessage{.address = 0xfee0'0000, .data = 0x50},
                                            MsiMessage{.address = 0xfee0'0000, .data = 0x51}));
}

TEST_F(PciMsix, PendingBitsCannotBeWritten) {
  bench.store(kPendingBits, ~u64{0}, 8);
  EXPECT_EQ(bench.load(kPendingBits, 8), 0U);
}

TEST_F(PciMsix, WithoutItMsiAndIntxAreUsed) {
  EXPECT_FALSE(device.notify_msi(0));
  device.set_intx(true);
  EXPECT_TRUE(bench.intx(kMsixLink));
  control(kMsixEnable);
  EXPECT_FALSE(bench.intx(kMsixLink));
  control(0);
  EXPECT_TRUE(bench.intx(kMsixLink));
}

TEST_F(PciMsix, NoMessageWithoutBusMastering) {
  control(kMsixEnable);
  set_entry(1, 0xfee0'0000, 0x60);
  command(pci::kCommandMemory);
  EXPECT_TRUE(device.notify_msi(1));
  EXPECT_THAT(bench.messages(), IsEmpty());
}

TEST_F(PciMsix, TableAndPendingBitsAreSaved) {
  control(kMsixEnable | kMaskAll);
  set_entry(3, 0xfee0'3000, 0x33);
  device.notify_msi(3);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  control(kMsixEnable);
  EXPECT_THAT(bench.messages(), ElementsAre(MsiMessage{.address = 0xfee0'3000, .data = 0x33}));
}

TEST_F(PciMsix, BytesOfTheTableReadAllOnesAndWriteNothing) {
  set_entry(2, 0xfee0'2000, 0x22);
  EXPECT_EQ(bench.load(entry(2), 1), 0xffU);
  bench.store(entry(2), 0x55, 1);
  EXPECT_EQ(bench.load(entry(2), 4), 0xfee0'2000U);
}

TEST_F(PciMsix, TheRestOfTheBarIsTheDevices) {
  bench.store(kMsixBase, 0x1234, 4);
  EXPECT_EQ(device.value, 0x1234U);
}

TEST_F(PciMsix, CanBeRealizedAgain) {
  ASSERT_TRUE(bench.machine().unplug(device));
  TestPciDevice& again = add_test_device(bench, {{"addr", "3"}});
  EXPECT_EQ(again.msix_vectors(), TestPciDevice::kMsixVectors);
}

}  // namespace
}  // namespace rhea::test
