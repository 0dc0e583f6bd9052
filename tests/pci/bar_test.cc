// SPDX-License-Identifier: GPL-2.0-or-later
// Base address registers, the option ROM and bus mastering of PCI devices.
#include "tests/pci/test_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace rhea::test {
namespace {

using testing::HasSubstr;

constexpr unsigned kDevfn = 3 << 3;
constexpr u32 kAddress = 0xe000'0000;

class PciBar : public testing::Test {
 protected:
  Bench bench;
  TestPciDevice& device = add_test_device(bench, {{"addr", "3"}});
  u32 read(unsigned reg) { return bench.config_read(kDevfn, reg, 4); }
  void write(unsigned reg, u32 value) { bench.config_write(kDevfn, reg, value, 4); }
  void command(u16 bits) { bench.config_write(kDevfn, 0x04, bits, 2); }
};

TEST_F(PciBar, SizingWritesShowSizeAndKind) {
  write(kMemoryBar, 0xffff'ffff);
  write(kPortBar, 0xffff'ffff);
  write(kWideBarLow, 0xffff'ffff);
  write(kWideBarHigh, 0xffff'ffff);
  write(0x20, 0xffff'ffff);
  EXPECT_EQ(read(kMemoryBar), 0xffff'f000u);
  EXPECT_EQ(read(kPortBar), 0xffff'ffe1u);
  EXPECT_EQ(read(kWideBarLow), 0xffff'000cu);
  EXPECT_EQ(read(kWideBarHigh), 0xffff'ffffu);
  EXPECT_EQ(read(0x20), 0u);
}

TEST_F(PciBar, MemoryShowsWhenEnabled) {
  write(kMemoryBar, kAddress);
  device.value = 0x1234'5678;
  EXPECT_EQ(bench.load(kAddress, 4), 0xffff'ffffu);
  command(pci::kCommandMemory);
  EXPECT_EQ(bench.load(kAddress, 4), 0x1234'5678u);
  command(0);
  EXPECT_EQ(bench.load(kAddress, 4), 0xffff'ffffu);
}

TEST_F(PciBar, PortsShowWhenEnabled) {
  write(kPortBar, 0xc000);
  device.value = 0x55aa'1234;
  EXPECT_EQ(bench.inl(0xc000), 0xffff'ffffu);
  command(pci::kCommandIo);
  EXPECT_EQ(bench.inl(0xc000), 0x55aa'1234u);
  command(pci::kCommandMemory);
  EXPECT_EQ(bench.inl(0xc000), 0xffff'ffffu);
}

TEST_F(PciBar, MovesWhileEnabled) {
  command(pci::kCommandMemory);
  write(kMemoryBar, kAddress);
  device.value = 1;
  write(kMemoryBar, kAddress + 0x5000);
  EXPECT_EQ(bench.load(kAddress, 4), 0xffff'ffffu);
  EXPECT_EQ(bench.load(kAddress + 0x5000, 4), 1u);
}

TEST_F(PciBar, MovesByteByByte) {
  command(pci::kCommandMemory);
  bench.config_write(kDevfn, kMemoryBar + 3, 0xe1, 1);
  bench.config_write(kDevfn, kMemoryBar + 1, 0x20, 1);
  device.value = 2;
  EXPECT_EQ(bench.load(0xe100'2000, 4), 2u);
}

TEST_F(PciBar, SixtyFourBitBarGoesAbove4G) {
  command(pci::kCommandMemory);
  write(kWideBarLow, 0x0001'0000);
  write(kWideBarHigh, 0x0000'0012);
  bench.store(0x12'0001'0010, 0xcafe, 2);
  EXPECT_EQ(bench.load(0x12'0001'0010, 2), 0xcafeu);
  const auto info = device.bar_info(2);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->address, 0x12'0001'0000u);
  EXPECT_EQ(info->size, 64 * KiB);
}

TEST_F(PciBar, UnmappedAtZeroAtTheEndAndWhenSizing) {
  command(pci::kCommandMemory | pci::kCommandIo);
  write(kMemoryBar, 0);
  EXPECT_EQ(device.bar_info(0)->address, ~u64{0});
  write(kMemoryBar, 0xffff'f000);
  EXPECT_EQ(device.bar_info(0)->address, ~u64{0});
  write(kWideBarLow, 0xffff'ffff);
  write(kWideBarHigh, 0xffff'ffff);
  EXPECT_EQ(device.bar_info(2)->address, ~u64{0});
  write(kPortBar, 0xffff'ffff);
  EXPECT_EQ(device.bar_info(1)->address, ~u64{0});
}

TEST_F(PciBar, PortsAbove64KAreNotMapped) {
  command(pci::kCommandIo);
  write(kPortBar, 0x0001'c000);
  EXPECT_EQ(device.bar_info(1)->address, ~u64{0});
  write(kPortBar, 0xffe0);
  EXPECT_EQ(device.bar_info(1)->address, 0xffe0u);
}

TEST_F(PciBar, NoInfoForBarsThatAreNotThere) {
  EXPECT_FALSE(device.bar_info(3));
  EXPECT_FALSE(device.bar_info(6));
  EXPECT_FALSE(device.bar_info(7));
}

TEST_F(PciBar, ResetUnmaps) {
  command(pci::kCommandMemory);
  write(kMemoryBar, kAddress);
  device.value = 1;
  bench.reset();
  EXPECT_EQ(read(kMemoryBar), 0u);
  EXPECT_EQ(bench.load(kAddress, 4), 0xffff'ffffu);
}

TEST_F(PciBar, LoadingMapsAgain) {
  command(pci::kCommandMemory | pci::kCommandIo);
  write(kMemoryBar, kAddress);
  write(kPortBar, 0xc100);
  write(kWideBarLow, 0xf000'0000);
  bench.store(0xf000'0008, 0x77, 1);
  const auto saved = bench.save();
  bench.store(0xf000'0008, 0, 1);
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  device.value = 9;
  EXPECT_EQ(bench.load(kAddress, 4), 9u);
  EXPECT_EQ(bench.inl(0xc100), 9u);
  EXPECT_EQ(bench.load(0xf000'0008, 1), 0x77u);
}

TEST_F(PciBar, LoadingUnmapsWhatWasNotMapped) {
  const auto saved = bench.save();
  command(pci::kCommandMemory);
  write(kMemoryBar, kAddress);
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(bench.load(kAddress, 4), 0xffff'ffffu);
}

TEST_F(PciBar, RamOfAnUnmappedBarIsSaved) {
  command(pci::kCommandMemory);
  write(kWideBarLow, 0xf000'0000);
  bench.store(0xf000'0000, 0x42, 1);
  command(0);
  const auto saved = bench.save();
  command(pci::kCommandMemory);
  bench.store(0xf000'0000, 0, 1);
  ASSERT_TRUE(bench.load(saved));
  command(pci::kCommandMemory);
  EXPECT_EQ(bench.load(0xf000'0000, 1), 0x42u);
}

TEST_F(PciBar, UnpluggingLeavesNothingMapped) {
  const std::string before = bench.machine().map().flat_text();
  TestPciDevice& other = add_test_device(bench, {{"addr", "4"}});
  bench.config_write(4 << 3, 0x04, 3, 2);
  bench.config_write(4 << 3, kMemoryBar, kAddress, 4);
  bench.config_write(4 << 3, kPortBar, 0xc200, 4);
  ASSERT_NE(bench.machine().map().flat_text(), before);
  ASSERT_TRUE(bench.machine().unplug(other));
  EXPECT_EQ(bench.machine().map().flat_text(), before);
}

TEST_F(PciBar, RealizingAgainGivesTheSameLayout) {
  const auto layout = [this] {
    std::vector<u32> words;
    for (unsigned reg = 0; reg < 256; reg += 4) words.push_back(read(reg));
    return words;
  };
  const auto before = layout();
  ASSERT_TRUE(device.set_realized(false));
  ASSERT_TRUE(device.set_realized(true));
  EXPECT_EQ(layout(), before);
}

TEST_F(PciBar, DmaFollowsTheBusMasterBit) {
  std::array<u8, 2> data{};
  bench.store(0x1000, 0xbeef, 2);
  EXPECT_NE(device.dma().read(0x1000, data), MemResult::Ok);
  command(pci::kCommandMaster);
  EXPECT_EQ(device.dma().read(0x1000, data), MemResult::Ok);
  EXPECT_THAT(data, testing::ElementsAre(0xef, 0xbe));
  bench.reset();
  EXPECT_NE(device.dma().read(0x1000, data), MemResult::Ok);
}

TEST_F(PciBar, BusMasterEnableIsLoaded) {
  command(pci::kCommandMaster);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_TRUE(device.dma().enabled());
}

class PciRom : public testing::Test {
 protected:
  PciRom() { std::ofstream(path) << std::string(5000, 'R'); }
  ~PciRom() override { std::filesystem::remove(path); }
  Bench bench;
  std::string path = testing::TempDir() + "rhea-pci-rom-test.bin";
  unsigned reg = 0x30;
};

TEST_F(PciRom, ShowsItsImageInAPowerOfTwo) {
  add_test_device(bench, {{"addr", "3"}, {"romfile", path}});
  bench.config_write(kDevfn, reg, 0xffff'fffe, 4);
  EXPECT_EQ(bench.config_read(kDevfn, reg, 4), 0xffff'e000u);
  bench.config_write(kDevfn, reg, kAddress | 1, 4);
  bench.config_write(kDevfn, 0x04, pci::kCommandMemory, 2);
  EXPECT_EQ(bench.load(kAddress + 4999, 1), u64{'R'});
  EXPECT_EQ(bench.load(kAddress + 5000, 1), 0u);
}

TEST_F(PciRom, NeedsItsOwnEnableBitToo) {
  add_test_device(bench, {{"addr", "3"}, {"romfile", path}});
  bench.config_write(kDevfn, 0x04, pci::kCommandMemory, 2);
  bench.config_write(kDevfn, reg, kAddress, 4);
  EXPECT_EQ(bench.load(kAddress, 1), 0xffu);
}

TEST_F(PciRom, IsReadOnly) {
  add_test_device(bench, {{"addr", "3"}, {"romfile", path}});
  bench.config_write(kDevfn, reg, kAddress | 1, 4);
  bench.config_write(kDevfn, 0x04, pci::kCommandMemory, 2);
  bench.store(kAddress, 0, 1);
  EXPECT_EQ(bench.load(kAddress, 1), u64{'R'});
}

TEST_F(PciRom, RombarZeroLeavesItOut) {
  add_test_device(bench, {{"addr", "3"}, {"romfile", path}, {"rombar", "0"}});
  bench.config_write(kDevfn, reg, 0xffff'ffff, 4);
  EXPECT_EQ(bench.config_read(kDevfn, reg, 4), 0u);
}

TEST_F(PciRom, RomsizeWidensTheBar) {
  add_test_device(bench, {{"addr", "3"}, {"romfile", path}, {"romsize", "65536"}});
  bench.config_write(kDevfn, reg, 0xffff'fffe, 4);
  EXPECT_EQ(bench.config_read(kDevfn, reg, 4), 0xffff'0000u);
}

TEST_F(PciRom, WrongSizesAreErrors) {
  EXPECT_THAT(bench.try_add("test-pci", {{"romfile", path}, {"romsize", "5000"}}).error().message(),
              HasSubstr("5000"));
  EXPECT_THAT(bench.try_add("test-pci", {{"romfile", path}, {"romsize", "4096"}}).error().message(),
              HasSubstr("romsize 4096"));
}

TEST_F(PciRom, MissingAndEmptyFilesAreErrors) {
  EXPECT_THAT(bench.try_add("test-pci", {{"romfile", "no-such-rom.bin"}}).error().message(),
              HasSubstr("no-such-rom.bin"));
  std::ofstream(path, std::ios::trunc).flush();
  EXPECT_THAT(bench.try_add("test-pci", {{"romfile", path}}).error().message(),
              HasSubstr("is empty"));
}

}  // namespace
}  // namespace rhea::test
