// SPDX-License-Identifier: GPL-2.0-or-later
// IOMMU regions, and direct pointers to memory.
#include "rhea/softmmu/address_space.h"
#include "tests/softmmu/store_result.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace rhea {
namespace {

/// Maps pages of 4 KiB; what it does not know is refused.
struct PageTable {
  AddressSpace* target{};
  std::map<u64, u64> pages;
  bool writable{true};
  static IommuTranslation translate(void* opaque, u64 offset, bool, MemAttrs) {
    const auto& self = *static_cast<PageTable*>(opaque);
    const auto it = self.pages.find(offset / kPageSize);
    if (it == self.pages.end()) return {};
    return {.target = self.target,
            .address = it->second,
            .mask = kPageSize - 1,
            .readable = true,
            .writable = self.writable};
  }
};

class IommuTest : public testing::Test {
 protected:
  IommuTest() {
    root_.init_container(nullptr, "root", Region::kWholeSpace);
    EXPECT_TRUE(ram_.init_ram(nullptr, "ram", 0x10000));
    root_.add(0, ram_);
    table_.target = &memory_;
    iommu_.init_iommu(nullptr, "iommu", Region::kWholeSpace, &PageTable::translate, &table_);
  }

  MemoryMap map_{nullptr};
  Region root_, ram_, iommu_;
  PageTable table_;
  AddressSpace memory_{map_, "memory", root_};
};

TEST_F(IommuTest, AccessesAreTranslated) {
  AddressSpace device(map_, "device", iommu_);
  table_.pages = {{0x80, 0x3000}};
  EXPECT_EQ(store_result(device, 0x80010, 0xabcd, 2), MemResult::Ok);
  EXPECT_EQ(memory_.load(0x3010, 2), 0xabcdu);
}

TEST_F(IommuTest, UnmappedPagesAreRefused) {
  AddressSpace device(map_, "device", iommu_);
  MemResult result{};
  EXPECT_EQ(device.load(0x80010, 4, {}, &result), 0xffffffffu);
  EXPECT_EQ(result, MemResult::Refused);
  EXPECT_FALSE(device.map_direct(0x80010, 4, false));
}

TEST_F(IommuTest, ReadOnlyPagesRefuseWrites) {
  AddressSpace device(map_, "device", iommu_);
  table_.pages = {{0, 0x1000}};
  table_.writable = false;
  EXPECT_EQ(store_result(device, 0, 1, 4), MemResult::Refused);
  EXPECT_TRUE(device.map_direct(0, 4, false));
  EXPECT_FALSE(device.map_direct(0, 4, true));
}

TEST_F(IommuTest, TransferFollowsEveryPage) {
  AddressSpace device(map_, "device", iommu_);
  table_.pages = {{0, 0x5000}, {1, 0x2000}};
  std::vector<u8> data(0x2000);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<u8>(i >> 8);
  EXPECT_EQ(device.write(0, data), MemResult::Ok);
  EXPECT_EQ(ram_.host()[0x5fff], 0x0f);
  EXPECT_EQ(ram_.host()[0x2000], 0x10);
  std::vector<u8> back(data.size());
  EXPECT_EQ(device.read(0, back), MemResult::Ok);
  EXPECT_EQ(back, data);
}

TEST_F(IommuTest, AccessAcrossPagesIsSplit) {
  AddressSpace device(map_, "device", iommu_);
  table_.pages = {{0, 0x5000}, {1, 0x2000}};
  EXPECT_EQ(store_result(device, 0xffe, 0x44332211, 4), MemResult::Ok);
  EXPECT_EQ(ram_.host()[0x5fff], 0x22);
  EXPECT_EQ(ram_.host()[0x2000], 0x33);
}

TEST_F(IommuTest, DirectMappingEndsWithThePage) {
  AddressSpace device(map_, "device", iommu_);
  table_.pages = {{0, 0x5000}};
  const RcuGuard guard;
  const auto span = device.map_direct(0x800, 0x10000, true);
  ASSERT_TRUE(span);
  EXPECT_EQ(span->host, ram_.host() + 0x5800);
  EXPECT_EQ(span->length, 0x800u);
}

TEST_F(IommuTest, TranslationsInACircleAreRefused) {
  AddressSpace device(map_, "device", iommu_);
  table_.target = &device;
  table_.pages = {{0, 0}};
  EXPECT_EQ(store_result(device, 0, 1, 4), MemResult::Refused);
  std::vector<u8> data(16);
  EXPECT_EQ(device.read(0, data), MemResult::Refused);
  EXPECT_EQ(data[15], 0xff);
}

class MapDirectTest : public testing::Test {
 protected:
  MapDirectTest() {
    root_.init_container(nullptr, "root", Region::kWholeSpace);
    EXPECT_TRUE(ram_.init_ram(nullptr, "ram", 0x4000));
    EXPECT_TRUE(rom_.init_rom(nullptr, "rom", 0x1000));
    EXPECT_TRUE(flash_.init_rom_device(nullptr, "flash", 0x1000, RegionOps{}, nullptr));
    device_.init_io(nullptr, "device", 0x1000, RegionOps{}, nullptr);
    root_.add(0, ram_);
    root_.add(0x4000, rom_);
    root_.add(0x5000, flash_);
    root_.add(0x6000, device_);
  }

  MemoryMap map_{nullptr};
  Region root_, ram_, rom_, flash_, device_;
  AddressSpace space_{map_, "memory", root_};
  RcuGuard guard_;
};

TEST_F(MapDirectTest, RamIsGivenUpToItsEnd) {
  const auto span = space_.map_direct(0x3ff0, 0x1000, true);
  ASSERT_TRUE(span);
  EXPECT_EQ(span->host, ram_.host() + 0x3ff0);
  EXPECT_EQ(span->length, 0x10u);
}

TEST_F(MapDirectTest, LengthIsNeverMoreThanAskedFor) {
  EXPECT_EQ(space_.map_direct(0, 8, false)->length, 8u);
  EXPECT_FALSE(space_.map_direct(0, 0, false));
}

TEST_F(MapDirectTest, RomAndFlashAreForReadingOnly) {
  EXPECT_TRUE(space_.map_direct(0x4000, 8, false));
  EXPECT_FALSE(space_.map_direct(0x4000, 8, true));
  EXPECT_TRUE(space_.map_direct(0x5000, 8, false));
  EXPECT_FALSE(space_.map_direct(0x5000, 8, true));
}

TEST_F(MapDirectTest, FlashThatTalksAndDevicesAndNothingAreNoMemory) {
  flash_.set_romd_mode(false);
  EXPECT_FALSE(space_.map_direct(0x5000, 8, false));
  EXPECT_FALSE(space_.map_direct(0x6000, 8, false));
  EXPECT_FALSE(space_.map_direct(0x7000, 8, false));
}

}  // namespace
}  // namespace rhea
