// SPDX-License-Identifier: GPL-2.0-or-later
// Accesses through an address space: memory, devices, nothing, and ranges of several kinds.
#include "rhea/softmmu/address_space.h"

#include "tests/softmmu/store_result.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace rhea {
namespace {

/// A device with a byte array as registers that remembers its accesses.
struct Registers {
  std::array<u8, 256> bytes{};
  std::vector<Access> reads, writes;

  u64 read(u64 offset, unsigned size) {
    reads.push_back({.offset = offset, .size = size});
    u64 value = 0;
    std::memcpy(&value, bytes.data() + offset, size);
    return value;
  }
  void write(u64 offset, u64 value, unsigned size) {
    writes.push_back({.offset = offset, .size = size, .value = value});
    std::memcpy(bytes.data() + offset, &value, size);
  }
};

class AddressSpaceTest : public testing::Test {
 protected:
  AddressSpaceTest() {
    root_.init_container(nullptr, "root", Region::kWholeSpace);
    EXPECT_TRUE(ram_.init_ram(nullptr, "ram", 0x4000));
    EXPECT_TRUE(rom_.init_rom(nullptr, "rom", 0x1000));
    device_.init_io(nullptr, "device", 0x100, io<&Registers::read, &Registers::write>(),
                    &registers_);
    root_.add(0x1000, ram_);
    root_.add(0x5000, device_);
    root_.add(0x6000, rom_);
  }

  MemoryMap map_{nullptr};
  Region root_, ram_, rom_, device_;
  Registers registers_;
  AddressSpace space_{map_, "memory", root_};
};

TEST_F(AddressSpaceTest, RamKeepsWhatIsStored) {
  EXPECT_EQ(store_result(space_, 0x1234, 0x1122334455667788, 8), MemResult::Ok);
  EXPECT_EQ(space_.load(0x1234, 8), 0x1122334455667788u);
  EXPECT_EQ(space_.load(0x1236, 2), 0x5566u);
  EXPECT_EQ(ram_.host()[0x234], 0x88);
}

TEST_F(AddressSpaceTest, NothingReadsAsAllOnes) {
  MemResult result{};
  EXPECT_EQ(space_.load(0, 4, {}, &result), 0xffffffffu);
  EXPECT_EQ(result, MemResult::Unassigned);
  EXPECT_EQ(store_result(space_, 0, 1, 4), MemResult::Unassigned);
}

TEST_F(AddressSpaceTest, RomRefusesWritesButTheLoaderMayWrite) {
  EXPECT_EQ(store_result(space_, 0x6000, 0x55, 1), MemResult::Refused);
  EXPECT_EQ(space_.load(0x6000, 1), 0u);
  const std::array<u8, 2> image{0x55, 0xaa};
  EXPECT_EQ(space_.write_rom(0x6000, image), MemResult::Ok);
  EXPECT_EQ(space_.load(0x6000, 2), 0xaa55u);
}

TEST_F(AddressSpaceTest, DeviceGetsOffsetSizeAndValue) {
  EXPECT_EQ(store_result(space_, 0x5010, 0xdeadbeef, 4), MemResult::Ok);
  ASSERT_EQ(registers_.writes.size(), 1u);
  EXPECT_EQ(registers_.writes[0].offset, 0x10u);
  EXPECT_EQ(registers_.writes[0].size, 4u);
  EXPECT_EQ(registers_.writes[0].value, 0xdeadbeefu);
  EXPECT_EQ(space_.load(0x5012, 2), 0xdeadu);
}

TEST_F(AddressSpaceTest, AccessAcrossRangesGoesToBoth) {
  EXPECT_EQ(store_result(space_, 0x4ffe, 0x44332211, 4), MemResult::Ok);
  EXPECT_EQ(ram_.host()[0x3ffe], 0x11);
  EXPECT_EQ(ram_.host()[0x3fff], 0x22);
  EXPECT_EQ(registers_.bytes[0], 0x33);
  EXPECT_EQ(registers_.bytes[1], 0x44);
  EXPECT_EQ(space_.load(0x4ffe, 4), 0x44332211u);
}

TEST_F(AddressSpaceTest, TransferSpansRamDeviceAndNothing) {
  std::vector<u8> data(0x4300, 0xa5);
  EXPECT_EQ(space_.write(0x0f00, data), MemResult::Unassigned);
  EXPECT_EQ(ram_.host()[0], 0xa5);
  EXPECT_EQ(ram_.host()[0x3fff], 0xa5);
  EXPECT_EQ(registers_.bytes[0xff], 0xa5);
  std::vector<u8> back(0x4300);
  EXPECT_EQ(space_.read(0x0f00, back), MemResult::Unassigned);
  EXPECT_EQ(back[0], 0xff);
  EXPECT_EQ(back[0x100], 0xa5);
  EXPECT_EQ(back[0x4100], 0xa5);
  EXPECT_EQ(back[0x4200], 0xff);
}

TEST_F(AddressSpaceTest, RegionThatIsDestroyedLeavesTheMap) {
  {
    Region late;
    ASSERT_TRUE(late.init_ram(nullptr, "late", 0x1000));
    root_.add(0x10000, late);
    EXPECT_EQ(space_.load(0x10000, 4), 0u);
  }
  EXPECT_EQ(space_.load(0x10000, 4), 0xffffffffu);
}

TEST_F(AddressSpaceTest, TreeReadsLikeQemus) {
  EXPECT_EQ(map_.tree_text(),
            "address-space: memory\n"
            "  0000000000000000-ffffffffffffffff (prio 0, i/o): root\n"
            "    0000000000001000-0000000000004fff (prio 0, ram): ram\n"
            "    0000000000005000-00000000000050ff (prio 0, i/o): device\n"
            "    0000000000006000-0000000000006fff (prio 0, rom): rom\n");
}

}  // namespace
}  // namespace rhea
