// SPDX-License-Identifier: GPL-2.0-or-later
// The port space: its look-up table, and a ROM device's two modes.
#include "rhea/softmmu/address_space.h"
#include "tests/softmmu/store_result.h"

#include <gtest/gtest.h>

#include <deque>

namespace rhea {
namespace {

/// Answers with the port's offset and remembers the last write.
struct Ports {
  u64 read(u64 offset, unsigned) { return offset; }
  void write(u64 offset, u64 value, unsigned) { last = offset << 32 | value; }
  u64 last{};
};

constexpr auto kOps = io<&Ports::read, &Ports::write>();

class PortSpaceTest : public testing::Test {
 protected:
  PortSpaceTest() { root_.init_container(nullptr, "io", 0x10000); }
  Region& add(u16 port, u64 size, int priority = 0) {
    Region& region = regions_.emplace_back();
    region.init_io(nullptr, "ports", size, kOps, &ports_);
    root_.add(port, region, priority);
    return region;
  }

  MemoryMap map_{nullptr};
  Ports ports_;
  Region root_;
  std::deque<Region> regions_;
  AddressSpace space_{map_, "I/O", root_, true};
};

TEST_F(PortSpaceTest, FirstAndLastPortAreFound) {
  add(0, 1);
  add(0xffff, 1);
  EXPECT_EQ(space_.load(0, 1), 0u);
  EXPECT_EQ(space_.load(0xffff, 1), 0u);
  EXPECT_EQ(space_.load(0xfffe, 1), 0xffu);
  EXPECT_EQ(space_.load(1, 1), 0xffu);
}

TEST_F(PortSpaceTest, WriteReachesTheRegionThatOwnsThePort) {
  add(0x3f8, 8);
  EXPECT_EQ(store_result(space_, 0x3fd, 0x42, 1), MemResult::Ok);
  EXPECT_EQ(ports_.last, u64{5} << 32 | 0x42);
}

TEST_F(PortSpaceTest, WideAccessAcrossDevicesIsSplit) {
  add(0x60, 1);
  Region& other = add(0x61, 1);
  EXPECT_EQ(space_.load(0x60, 2), 0u);
  other.set_enabled(false);
  EXPECT_EQ(space_.load(0x60, 2), 0xff00u);
}

TEST_F(PortSpaceTest, AccessAboveTheLastPortIsUnassigned) {
  add(0xffff, 1);
  MemResult result{};
  EXPECT_EQ(space_.load(0xffff, 2, {}, &result), 0xff00u);
  EXPECT_EQ(result, MemResult::Unassigned);
  EXPECT_EQ(space_.load(0x10000, 1), 0xffu);
  EXPECT_EQ(space_.load(~u64{0}, 1), 0xffu);
}

TEST_F(PortSpaceTest, TableAgreesWithSearchAtEveryPort) {
  for (unsigned i = 0; i < 200; ++i)
    add(static_cast<u16>(i * 331), 1 + i % 60, static_cast<int>(i % 3));
  const FlatView searched(space_.view().ranges(), false);
  for (u64 port = 0; port < 0x10000; ++port) {
    const FlatRange* const by_table = space_.view().find(port);
    const FlatRange* const by_search = searched.find(port);
    ASSERT_EQ(by_table == nullptr, by_search == nullptr) << port;
    ASSERT_TRUE(by_table == nullptr || *by_table == *by_search) << port;
  }
}

TEST_F(PortSpaceTest, EveryPortMayBeADeviceOfItsOwn) {
  Region& target = add(0, 0x10000);
  const Transaction transaction(map_);
  std::vector<FlatRange> ranges;
  for (u64 port = 0; port < 0x10000; ++port)
    ranges.push_back({.first = port, .last = port, .region = &target});
  const FlatView view(ranges, true);
  EXPECT_EQ(view.find(0)->first, 0u);
  EXPECT_EQ(view.find(0xffff)->first, 0xffffu);
}

TEST(RomDeviceTest, ReadsComeFromMemoryInReadModeAndFromHandlersElse) {
  MemoryMap map(nullptr);
  Ports ports;
  Region root, flash;
  root.init_container(nullptr, "root", 0x10000);
  ASSERT_TRUE(flash.init_rom_device(nullptr, "flash", 0x1000, kOps, &ports));
  AddressSpace space(map, "memory", root);
  root.add(0, flash);
  flash.host()[4] = 0x99;
  EXPECT_EQ(space.load(4, 1), 0x99u);
  EXPECT_EQ(store_result(space, 4, 0x20, 1), MemResult::Ok);
  EXPECT_EQ(ports.last, u64{4} << 32 | 0x20);
  EXPECT_EQ(flash.host()[4], 0x99);
  flash.set_romd_mode(false);
  EXPECT_EQ(space.load(4, 1), 4u);
}

}  // namespace
}  // namespace rhea
