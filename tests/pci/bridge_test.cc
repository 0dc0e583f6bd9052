// SPDX-License-Identifier: GPL-2.0-or-later
// The PCI bridge: bus numbers, windows, interrupts, bus mastering, what is behind it.
#include "tests/pci/test_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace rhea::test {
namespace {

using testing::HasSubstr;

constexpr unsigned kBridge = 2 << 3, kBehind = 5 << 3;
constexpr unsigned kBusNumbers = 0x18, kIo = 0x1c, kMemory = 0x20, kPrefetch = 0x24,
                   kControl = 0x3e;
constexpr u64 kBehindBar = 0xe010'0000;

class PciBridge : public testing::Test {
 protected:
  Bench bench;
  Device& bridge = bench.add("pci-bridge", {{"addr", "2"}, {"chassis_nr", "7"}});
  PciBus& behind = *static_cast<PciBus*>(bridge.buses().front());
  TestPciDevice& device =
      static_cast<TestPciDevice&>(bench.add("test-pci", {{"addr", "5"}}, behind.name()));

  void write(unsigned reg, u32 value, unsigned size) {
    bench.config_write(kBridge, reg, value, size);
  }
  u32 read(unsigned reg, unsigned size) { return bench.config_read(kBridge, reg, size); }
  void command(u16 bits) { write(0x04, bits, 2); }
  void place_device() {
    behind.config_write(kBehind, kMemoryBar, kBehindBar, 4);
    behind.config_write(kBehind, kPortBar, 0xc020, 4);
    behind.config_write(kBehind, 0x04, pci::kCommandIo | pci::kCommandMemory | pci::kCommandMaster,
                        2);
    device.value = 0x1234;
  }
};

TEST_F(PciBridge, HeaderIsABridges) {
  EXPECT_EQ(read(0x00, 4), 0x0001'1b36U);
  EXPECT_EQ(read(0x08, 4), 0x0604'0000U);
  EXPECT_EQ(read(0x0e, 1), 1U);
}

TEST_F(PciBridge, NeedsAChassisNumber) {
  const auto refused = bench.try_add("pci-bridge");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("chassis_nr"));
}

TEST_F(PciBridge, HasNoHotPlugController) {
  const auto refused = bench.try_add("pci-bridge", {{"chassis_nr", "1"}, {"shpc", "on"}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("shpc=on"));
}

TEST_F(PciBridge, NobodyIsReachedBehindItBeforeItHasANumber) {
  EXPECT_EQ(bench.pci().find(0), &bench.pci());
  EXPECT_EQ(bench.pci().find(1), nullptr);
}

TEST_F(PciBridge, AnswersForItsBusNumbers) {
  write(kBusNumbers, 0x00'03'02'00, 4);
  EXPECT_EQ(bench.pci().find(2), &behind);
  EXPECT_EQ(bench.pci().find(3), nullptr);
  EXPECT_EQ(bench.pci().find(2)->config_read(kBehind, 0, 2), 0x1b36U);
}

TEST_F(PciBridge, BridgesBehindBridgesAreFound) {
  Device& second = bench.add("pci-bridge", {{"addr", "4"}, {"chassis_nr", "8"}}, behind.name());
  write(kBusNumbers, 0x00'03'02'00, 4);
  behind.config_write(4 << 3, kBusNumbers, 0x00'03'03'02, 4);
  EXPECT_EQ(bench.pci().find(3), second.buses().front());
}

TEST_F(PciBridge, MemoryGoesThroughItsWindowAlone) {
  place_device();
  command(pci::kCommandMemory);
  EXPECT_EQ(bench.load(kBehindBar, 4), 0xffff'ffffU);
  write(kMemory, 0xe010'e010, 4);
  EXPECT_EQ(bench.load(kBehindBar, 4), 0x1234U);
  write(kMemory, 0xe000'e000, 4);
  EXPECT_EQ(bench.load(kBehindBar, 4), 0xffff'ffffU);
}

TEST_F(PciBridge, ALimitBelowTheBaseClosesAWindow) {
  place_device();
  command(pci::kCommandMemory);
  write(kMemory, 0xe000'e010, 4);
  EXPECT_EQ(bench.load(kBehindBar, 4), 0xffff'ffffU);
}

TEST_F(PciBridge, WindowsAreClosedWhileDecodingIsOff) {
  place_device();
  write(kMemory, 0xe010'e010, 4);
  EXPECT_EQ(bench.load(kBehindBar, 4), 0xffff'ffffU);
}

TEST_F(PciBridge, PrefetchableMemoryReachesBeyond4GiB) {
  behind.config_write(kBehind, kWideBarLow, 0x4000'0000, 4);
  behind.config_write(kBehind, kWideBarHigh, 0x12, 4);
  behind.config_write(kBehind, 0x04, pci::kCommandMemory, 2);
  write(kPrefetch, 0x4000'4000, 4);
  write(0x28, 0x12, 4);
  write(0x2c, 0x12, 4);
  command(pci::kCommandMemory);
  bench.store(0x12'4000'0100, 0xabcd, 2);
  EXPECT_EQ(bench.load(0x12'4000'0100, 2), 0xabcdU);
}

TEST_F(PciBridge, PortsGoThroughTheIoWindow) {
  place_device();
  write(kIo, 0xc0c0, 2);
  EXPECT_EQ(bench.in(0xc020, 4), 0xffff'ffffU);
  command(pci::kCommandIo);
  EXPECT_EQ(bench.in(0xc020, 4), 0x1234U);
}

TEST_F(PciBridge, InIsaModeOnlyTheFirst256PortsOfAKilobytePass) {
  place_device();
  write(kIo, 0xc0c0, 2);
  write(kControl, 0x04, 2);
  command(pci::kCommandIo);
  EXPECT_EQ(bench.in(0xc020, 4), 0x1234U);
  behind.config_write(kBehind, kPortBar, 0xc120, 4);
  EXPECT_EQ(bench.in(0xc120, 4), 0xffff'ffffU);
}

TEST_F(PciBridge, InterruptPinsTurnWithTheSlot) {
  device.set_intx(true);  // pin A of slot 5 is the bridge's pin B: link 2 + 1
  EXPECT_TRUE(bench.intx(3));
  device.set_intx(false);
  EXPECT_FALSE(bench.intx(3));
}

TEST_F(PciBridge, DevicesReachMemoryOnlyThroughABusMaster) {
  place_device();
  std::array<u8, 4> data{1, 2, 3, 4};
  EXPECT_NE(device.dma().write(0x1000, data), MemResult::Ok);
  command(pci::kCommandMaster);
  EXPECT_EQ(device.dma().write(0x1000, data), MemResult::Ok);
  EXPECT_EQ(bench.load(0x1000, 4), 0x0403'0201U);
}

TEST_F(PciBridge, SecondaryResetResetsWhatIsBehind) {
  place_device();
  write(kControl, 0x40, 2);
  EXPECT_EQ(behind.config_read(kBehind, 0x04, 2), 0U);
}

TEST_F(PciBridge, ResetClosesEverything) {
  place_device();
  write(kBusNumbers, 0x00'03'02'00, 4);
  write(kMemory, 0xe010'e010, 4);
  command(pci::kCommandMemory);
  bench.reset();
  EXPECT_EQ(bench.load(kBehindBar, 4), 0xffff'ffffU);
  EXPECT_EQ(bench.pci().find(2), nullptr);
}

TEST_F(PciBridge, IsSavedWithItsWindowsAndNumbers) {
  place_device();
  write(kBusNumbers, 0x00'03'02'00, 4);
  write(kMemory, 0xe010'e010, 4);
  command(pci::kCommandMemory);
  device.set_intx(true);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(bench.load(kBehindBar, 4), 0x1234U);
  EXPECT_EQ(bench.pci().find(2), &behind);
  EXPECT_TRUE(bench.intx(3));
}

TEST_F(PciBridge, GoesWithWhatIsBehindIt) {
  device.set_intx(true);
  ASSERT_TRUE(bench.machine().unplug(bridge));
  EXPECT_FALSE(bench.intx(3));
  EXPECT_EQ(bench.config_read(kBridge, 0, 4), 0xffff'ffffU);
  EXPECT_FALSE(bench.machine().find_bus("PCI", "b1"));
  EXPECT_EQ(bench.pci().devices().size(), 0U);
}

}  // namespace
}  // namespace rhea::test
