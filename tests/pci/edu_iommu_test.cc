// SPDX-License-Identifier: GPL-2.0-or-later
// The educational IOMMU: devices behind it reach what its tables map.
#include "tests/pci/test_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;

constexpr unsigned kIommuDevfn = 2 << 3, kBehindDevfn = 5 << 3;
constexpr u64 kIommuBar = 0xe800'0000;
constexpr u64 kUpper = 0x10000, kLower = 0x11000, kPage = 0x20000;
constexpr u64 kReadable = 1, kWritable = 2, kBoth = 3;
constexpr u32 kOn = 1, kWithInterrupt = 3;
constexpr unsigned kNotMapped = 1, kRights = 2, kTooHigh = 3, kTableElsewhere = 4, kBadEntry = 5;
constexpr u32 kOfWrite = 1U << 31;

class EduIommuTest : public testing::Test {
 protected:
  EduIommuTest() {
    bench.config_write(kIommuDevfn, 0x10, kIommuBar, 4);
    bench.config_write(kIommuDevfn, 0x18, 0x00010100, 4);
    bench.config_write(kIommuDevfn, 4, 6, 2);
    bench.config_write(kIommuDevfn, 0x3e, 0, 2);
    behind_bus()->config_write(kBehindDevfn, 4, 4, 2);
    bench.store(kUpper, kLower | kBoth, 8);
    bench.store(kLower, kPage | kBoth, 8);
    bench.store(kIommuBar + 0x10, kUpper, 8);
    enable(kOn);
  }
  PciBus* behind_bus() { return bench.pci().find(1); }
  void enable(u32 control) { bench.store(kIommuBar + 0x08, control, 4); }
  MemResult write(u64 address, u32 value) { return device.dma().write_value(address, value); }
  MemResult read(u64 address, u32& value) { return device.dma().read_value(address, value); }
  void write_refused(u64 address) { EXPECT_NE(write(address, 1), MemResult::Ok); }
  u32 status() { return static_cast<u32>(bench.load(kIommuBar + 0x18, 4)); }
  u32 reason() { return static_cast<u32>(bench.load(kIommuBar + 0x1c, 4)); }
  u64 fault_address() { return bench.load(kIommuBar + 0x20, 8); }
  u32 source() { return static_cast<u32>(bench.load(kIommuBar + 0x28, 4)); }
  /// Lets the fault be told of.
  void settle() { bench.machine().loop().iterate(false); }

  Bench bench;
  Device& iommu = bench.add("edu-iommu", {{"addr", "2"}, {"chassis_nr", "3"}});
  TestPciDevice& device = static_cast<TestPciDevice&>(
      bench.add("test-pci", {{"addr", "5"}}, iommu.buses().front()->name()));
};

TEST_F(EduIommuTest, MappedPagesAreReachedWhereTheyAre) {
  EXPECT_EQ(write(0x123 * 4, 0xfeed), MemResult::Ok);
  EXPECT_EQ(bench.load(kPage + 0x123 * 4, 4), 0xfeedu);
  u32 value = 0;
  bench.store(kPage + 8, 0x77, 4);
  EXPECT_EQ(read(8, value), MemResult::Ok);
  EXPECT_EQ(value, 0x77u);
  EXPECT_EQ(status(), 0u);
}

TEST_F(EduIommuTest, SwitchedOffAddressesAreMemorys) {
  enable(0);
  EXPECT_EQ(write(0x30000, 5), MemResult::Ok);
  EXPECT_EQ(bench.load(0x30000, 4), 5u);
}

TEST_F(EduIommuTest, AnUnmappedPageIsAFault) {
  EXPECT_EQ(write(0x1010, 1), MemResult::Refused);
  EXPECT_EQ(status(), 1u);
  EXPECT_EQ(reason(), kNotMapped);
  EXPECT_EQ(fault_address(), 0x1010u);
  EXPECT_EQ(source(), kOfWrite | kBehindDevfn);
}

TEST_F(EduIommuTest, ReadsOfUnmappedPagesAreAllOnes) {
  u32 value = 0;
  EXPECT_EQ(read(0x1010, value), MemResult::Refused);
  EXPECT_EQ(value, 0xffff'ffffu);
  EXPECT_EQ(source(), kBehindDevfn);
}

TEST_F(EduIommuTest, APageThatIsUnmappedIsGoneAtOnce) {
  ASSERT_EQ(write(0, 1), MemResult::Ok);
  bench.store(kLower, 0, 8);
  EXPECT_EQ(write(0, 2), MemResult::Refused);
  EXPECT_EQ(bench.load(kPage, 4), 1u);
}

TEST_F(EduIommuTest, RightsCountOnBothLevels) {
  u32 value = 0;
  bench.store(kLower, kPage | kReadable, 8);
  EXPECT_EQ(write(0, 1), MemResult::Refused);
  EXPECT_EQ(reason(), kRights);
  EXPECT_EQ(read(0, value), MemResult::Ok);
  bench.store(kLower, kPage | kBoth, 8);
  bench.store(kUpper, kLower | kWritable, 8);
  EXPECT_EQ(read(0, value), MemResult::Refused);
  EXPECT_EQ(write(0, 1), MemResult::Ok);
}

TEST_F(EduIommuTest, TransfersFollowThePages) {
  bench.store(kLower + 8, (kPage + 0x5000) | kBoth, 8);
  std::vector<u8> data(0x1800, 0x5a);
  EXPECT_EQ(device.dma().write(0x400, data), MemResult::Ok);
  EXPECT_EQ(bench.load(kPage + 0xfff, 1), 0x5au);
  EXPECT_EQ(bench.load(kPage + 0x5bff, 1), 0x5au);
  EXPECT_EQ(bench.load(kPage + 0x1000, 1), 0u);
}

TEST_F(EduIommuTest, AddressesAboveTheTableAreAFault) {
  EXPECT_EQ(write(u64{1} << 30, 1), MemResult::Refused);
  EXPECT_EQ(reason(), kTooHigh);
}

TEST_F(EduIommuTest, ATableThatIsNoMemoryIsAFault) {
  bench.store(kIommuBar + 0x10, kIommuBar, 8);
  EXPECT_EQ(write(0, 1), MemResult::Refused);
  EXPECT_EQ(reason(), kTableElsewhere);
  bench.store(kIommuBar + 0x18, 3, 4);
  bench.store(kIommuBar + 0x10, 0x000f'ffff'ffff'f000, 8);
  EXPECT_EQ(write(0, 1), MemResult::Refused);
  EXPECT_EQ(reason(), kTableElsewhere);
}

TEST_F(EduIommuTest, ATableThatIsItsOwnLowerTableIsWalkedOnce) {
  bench.store(kUpper, kUpper | kBoth, 8);
  EXPECT_EQ(write(0x10, 0xabc), MemResult::Ok);
  EXPECT_EQ(bench.load(kUpper + 0x10, 4), 0xabcu);
}

TEST_F(EduIommuTest, ReservedBitsOfAnEntryAreAFault) {
  bench.store(kLower, ~u64{0}, 8);
  EXPECT_EQ(write(0, 1), MemResult::Refused);
  EXPECT_EQ(reason(), kBadEntry);
}

TEST_F(EduIommuTest, PagesOfNothingAreRefusedWithoutAFault) {
  bench.store(kLower, 0xf000'0000 | kBoth, 8);
  EXPECT_NE(write(0, 1), MemResult::Ok);
  EXPECT_EQ(status(), 0u);
}

TEST_F(EduIommuTest, AMappedRegisterOfTheIommuIsWritten) {
  bench.store(kLower, kIommuBar | kBoth, 8);
  EXPECT_EQ(write(8, 0), MemResult::Ok);
  EXPECT_EQ(bench.load(kIommuBar + 8, 4), 0u);
}

TEST_F(EduIommuTest, TheFirstFaultIsKeptAndLaterOnesAreCounted) {
  write_refused(0x5000);
  write_refused(0x6000);
  EXPECT_EQ(fault_address(), 0x5000u);
  EXPECT_EQ(status(), 3u);
  bench.store(kIommuBar + 0x18, 3, 4);
  EXPECT_EQ(status(), 0u);
  write_refused(0x6000);
  EXPECT_EQ(fault_address(), 0x6000u);
}

TEST_F(EduIommuTest, AFaultRaisesTheLineUntilItIsCleared) {
  enable(kWithInterrupt);
  write_refused(0x5000);
  settle();
  EXPECT_TRUE(bench.intx(2));
  bench.store(kIommuBar + 0x18, 1, 4);
  EXPECT_FALSE(bench.intx(2));
}

TEST_F(EduIommuTest, AFaultSendsOneMessageUntilItIsCleared) {
  bench.config_write(kIommuDevfn, 0x44, 0xfee0'0000, 4);
  bench.config_write(kIommuDevfn, 0x4c, 0x33, 2);
  bench.config_write(kIommuDevfn, 0x42, 1, 2);
  enable(kWithInterrupt);
  write_refused(0x5000);
  write_refused(0x6000);
  settle();
  EXPECT_EQ(bench.messages().size(), 1u);
  bench.store(kIommuBar + 0x18, 3, 4);
  write_refused(0x5000);
  settle();
  EXPECT_EQ(bench.messages().size(), 2u);
}

TEST_F(EduIommuTest, WithoutMasteringNothingBehindItReachesMemory) {
  bench.config_write(kIommuDevfn, 4, 2, 2);
  EXPECT_NE(write(0, 1), MemResult::Ok);
  EXPECT_EQ(status(), 0u);
}

TEST_F(EduIommuTest, ResetSwitchesItOffAndForgetsFaults) {
  write_refused(0x5000);
  bench.reset();
  EXPECT_EQ(to_text(*iommu.get("CONTROL")), "0");
  EXPECT_EQ(to_text(*iommu.get("FAULT_STATUS")), "0");
  EXPECT_EQ(to_text(*iommu.get("FAULT_REASON")), "0");
  EXPECT_EQ(to_text(*iommu.get("FAULT_ADDRESS")), "0");
  EXPECT_EQ(to_text(*iommu.get("FAULT_SOURCE")), "0");
}

TEST_F(EduIommuTest, ALoadedIommuTranslates) {
  write_refused(0x5000);
  const std::vector<u8> saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(write(4, 0x99), MemResult::Ok);
  EXPECT_EQ(bench.load(kPage + 4, 4), 0x99u);
  EXPECT_EQ(fault_address(), 0x5000u);
}

TEST_F(EduIommuTest, DevicesGoWithIt) {
  ASSERT_TRUE(bench.machine().unplug(iommu));
  EXPECT_EQ(behind_bus(), nullptr);
}

// ---- BARs that are memory

constexpr u64 kRamBar = 0x1'0000'0000, kMovedBar = 0x2'4000'0000;

class RamBar : public testing::Test {
 protected:
  RamBar() {
    command(2);
    place(kRamBar);
  }
  void command(u16 bits) { bench.config_write(kBehindDevfn, 4, bits, 2); }
  void place(u64 address) {
    bench.config_write(kBehindDevfn, kWideBarLow, static_cast<u32>(address), 4);
    bench.config_write(kBehindDevfn, kWideBarHigh, static_cast<u32>(address >> 32), 4);
  }
  std::vector<u64> dirty_pages() {
    AddressSpace& memory = bench.machine().memory();
    memory.sync_dirty();
    return memory.take_dirty(device.ram(), DirtyClient::Display, 0, 16);
  }

  Bench bench;
  TestPciDevice& device = add_test_device(bench, {{"addr", "5"}});
};

TEST_F(RamBar, ContentsComeAlongWhenTheGuestMovesIt) {
  bench.store(kRamBar + 0x1234, 0x5a5a, 2);
  place(kMovedBar);
  EXPECT_EQ(bench.load(kMovedBar + 0x1234, 2), 0x5a5au);
  EXPECT_EQ(bench.load(kRamBar + 0x1234, 2), 0xffffu);
}

TEST_F(RamBar, ContentsStayWhileTheGuestHasItSwitchedOff) {
  bench.store(kRamBar, 7, 1);
  command(0);
  EXPECT_EQ(bench.load(kRamBar, 1), 0xffu);
  command(2);
  EXPECT_EQ(bench.load(kRamBar, 1), 7u);
}

TEST_F(RamBar, WritesAreLoggedWhereverItIs) {
  device.ram().set_log(DirtyClient::Display, true);
  dirty_pages();
  bench.store(kRamBar + 0x2000, 1, 1);
  EXPECT_EQ(dirty_pages(), std::vector<u64>{1 << 2});
  place(kMovedBar);
  bench.store(kMovedBar + 0x5000, 1, 1);
  EXPECT_EQ(dirty_pages(), std::vector<u64>{1 << 5});
  EXPECT_EQ(dirty_pages(), std::vector<u64>{0});
}

TEST_F(RamBar, DmaOfAnotherDeviceIsLogged) {
  auto& other = static_cast<TestPciDevice&>(bench.add("test-pci", {{"addr", "6"}}));
  bench.config_write(6 << 3, 4, 4, 2);
  device.ram().set_log(DirtyClient::Display, true);
  dirty_pages();
  EXPECT_EQ(other.dma().write_value(kRamBar + 0x3000, u32{9}), MemResult::Ok);
  EXPECT_EQ(dirty_pages(), std::vector<u64>{1 << 3});
}

TEST_F(RamBar, ItsOwnDmaReachesIt) {
  command(6);
  EXPECT_EQ(device.dma().write_value(kRamBar + 0x10, u32{0x42}), MemResult::Ok);
  EXPECT_EQ(bench.load(kRamBar + 0x10, 4), 0x42u);
}

TEST_F(RamBar, ContentsAndPlaceAreSavedAndLoaded) {
  place(kMovedBar);
  bench.store(kMovedBar + 0x100, 0x1122, 2);
  const std::vector<u8> saved = bench.save();
  bench.reset();
  device.ram().host()[0x100] = 0;
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(bench.load(kMovedBar + 0x100, 2), 0x1122u);
}

}  // namespace
}  // namespace rhea::test
