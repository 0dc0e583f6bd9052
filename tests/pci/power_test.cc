// SPDX-License-Identifier: GPL-2.0-or-later
// Power management of PCI devices: D0 and D3hot.
#include "tests/pci/test_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr unsigned kPowerDevfn = 3 << 3, kPowerLink = 3;
constexpr u64 kPowerBar = 0xe000'0000;
constexpr u32 kD0 = 0, kD1 = 1, kD3 = 3, kNoSoftReset = 8;

class PciPower : public testing::Test {
 protected:
  Bench bench;
  TestPciDevice& device = add_test_device(bench, {{"addr", "3"}});
  PciPower() {
    bench.config_write(kPowerDevfn, kMemoryBar, kPowerBar, 4);
    bench.config_write(kPowerDevfn, 0x04, pci::kCommandMemory | pci::kCommandMaster, 2);
    device.value = 0x1234;
  }
  void state(u32 wanted) { bench.config_write(kPowerDevfn, kPower + 4, wanted, 2); }
  u32 state() { return bench.config_read(kPowerDevfn, kPower + 4, 2); }
};

TEST_F(PciPower, BarsAreOffInD3AndBackInD0AsTheyWere) {
  state(kD3);
  EXPECT_EQ(bench.load(kPowerBar, 4), 0xffff'ffffU);
  state(kD0);
  EXPECT_EQ(bench.load(kPowerBar, 4), 0x1234U);
}

TEST_F(PciPower, ConfigurationSpaceAnswersInD3) {
  state(kD3);
  EXPECT_EQ(state(), kD3 | kNoSoftReset);
  EXPECT_EQ(bench.config_read(kPowerDevfn, 0, 2), 0x1b36U);
}

TEST_F(PciPower, NoInterruptLeavesInD3) {
  device.set_intx(true);
  state(kD3);
  EXPECT_FALSE(bench.intx(kPowerLink));
  state(kD0);
  EXPECT_TRUE(bench.intx(kPowerLink));
}

TEST_F(PciPower, NoMessageLeavesInD3) {
  bench.config_write(kPowerDevfn, kMsi + 2, 1, 2);
  state(kD3);
  device.notify_msi();
  EXPECT_THAT(bench.messages(), IsEmpty());
  state(kD0);
  device.notify_msi();
  EXPECT_THAT(bench.messages(), SizeIs(1));
}

TEST_F(PciPower, NoDmaInD3) {
  state(kD3);
  EXPECT_FALSE(device.dma().enabled());
  state(kD0);
  EXPECT_TRUE(device.dma().enabled());
}

TEST_F(PciPower, StatesThatAreNotThereChangeNothing) {
  state(kD1);
  EXPECT_EQ(state(), kD0 | kNoSoftReset);
  state(kD3);
  state(kD1);
  EXPECT_EQ(state(), kD3 | kNoSoftReset);
}

TEST_F(PciPower, ResetPowersUp) {
  state(kD3);
  bench.reset();
  EXPECT_EQ(state(), kD0 | kNoSoftReset);
}

TEST_F(PciPower, IsSaved) {
  state(kD3);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(state(), kD3 | kNoSoftReset);
  EXPECT_EQ(bench.load(kPowerBar, 4), 0xffff'ffffU);
}

}  // namespace
}  // namespace rhea::test
