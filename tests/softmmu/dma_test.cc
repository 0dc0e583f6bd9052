// SPDX-License-Identifier: GPL-2.0-or-later
// Bus masters: enable bit, scatter lists, and transfers that aim at a device's own registers.
#include "rhea/softmmu/dma.h"

#include "rhea/qom/device.h"
#include "rhea/util/lock.h"
#include "tests/softmmu/store_result.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

namespace rhea {
namespace {

/// A device with one register; a write starts a transfer of that value to `target`.
class Copier final : public Device {
 public:
  void map(Region& container, u64 address, AddressSpace& space) {
    dma.init(*this, space, 0x18);
    region.init_io(*this, "copier", 0x10, io<&Copier::read, &Copier::write>());
    container.add(address, region);
  }
  u64 read(u64, unsigned) {
    std::vector<u8> data(4);
    last = dma.read(source, data);
    return data[0];
  }
  void write(u64, u64 value, unsigned) {
    ++writes;
    if (target == 0) return;
    const auto word = static_cast<u32>(value);
    last = dma.write_value(target, word);
  }

  DmaMaster dma;
  Region region;
  u64 target{0}, source{0};
  unsigned writes{0};
  MemResult last{MemResult::Ok};
};

class DmaTest : public testing::Test {
 protected:
  DmaTest() {
    root_.init_container(nullptr, "root", Region::kWholeSpace);
    EXPECT_TRUE(ram_.init_ram(nullptr, "ram", 0x4000));
    root_.add(0, ram_);
    first_.map(root_, 0x10000, space_);
    second_.map(root_, 0x20000, space_);
  }
  u8 ram(u64 at) const { return ram_.host()[at]; }

  MemoryMap map_{nullptr};
  Region root_, ram_;
  AddressSpace space_{map_, "memory", root_};
  Copier first_, second_;
};

TEST_F(DmaTest, TransferReachesMemory) {
  first_.target = 0x100;
  space_.store(0x10000, 0x11223344, 4);
  EXPECT_EQ(first_.last, MemResult::Ok);
  EXPECT_EQ(space_.load(0x100, 4), 0x11223344u);
}

TEST_F(DmaTest, DisabledMasterFailsAndReadsAllOnes) {
  first_.dma.set_enabled(false);
  EXPECT_EQ(first_.dma.write_value(0x100, u32{1}), MemResult::Refused);
  u32 value = 0;
  EXPECT_EQ(first_.dma.read_value(0x100, value), MemResult::Refused);
  EXPECT_EQ(value, 0xffffffffu);
  EXPECT_EQ(ram(0x100), 0);
}

TEST_F(DmaTest, TransferIntoTheOwnRegistersFromAHandlerIsRefused) {
  first_.target = 0x10004;
  EXPECT_EQ(store_result(space_, 0x10000, 1, 4), MemResult::Ok);
  EXPECT_EQ(first_.last, MemResult::Reentrant);
  EXPECT_EQ(first_.writes, 1u);
}

TEST_F(DmaTest, TransferIntoTheOwnRegistersOutsideAHandlerIsRefused) {
  EXPECT_EQ(first_.dma.write_value(0x10000, u32{1}), MemResult::Reentrant);
  EXPECT_EQ(first_.writes, 0u);
}

TEST_F(DmaTest, TransferIntoAnotherDeviceIsDelivered) {
  first_.target = 0x20000;
  EXPECT_EQ(store_result(space_, 0x10000, 1, 4), MemResult::Ok);
  EXPECT_EQ(first_.last, MemResult::Ok);
  EXPECT_EQ(second_.writes, 1u);
}

TEST_F(DmaTest, TransferThatComesBackThroughAnotherDeviceIsRefused) {
  first_.target = 0x20000;
  second_.target = 0x10000;
  EXPECT_EQ(store_result(space_, 0x10000, 1, 4), MemResult::Ok);
  EXPECT_EQ(second_.last, MemResult::Reentrant);
  EXPECT_EQ(first_.writes, 1u);
}

TEST_F(DmaTest, ReadOfTheOwnRegistersGivesAllOnes) {
  first_.source = 0x10000;
  EXPECT_EQ(space_.load(0x10000, 1), 0xffu);
  EXPECT_EQ(first_.last, MemResult::Reentrant);
}

TEST_F(DmaTest, DeviceWorksAgainAfterARefusal) {
  first_.target = 0x10004;
  space_.store(0x10000, 1, 4);
  first_.target = 0x200;
  space_.store(0x10000, 0x55, 4);
  EXPECT_EQ(ram(0x200), 0x55);
}

TEST_F(DmaTest, ChainOfOwnerlessRegionsEnds) {
  struct Echo {
    AddressSpace* space;
    unsigned calls{0};
    u64 read(u64 offset, unsigned size) {
      ++calls;
      return space->load(0x30000 + offset, size);
    }
    void write(u64, u64, unsigned) {}
  } echo{&space_};
  Region region;
  region.init_io(nullptr, "echo", 4, io<&Echo::read, &Echo::write>(), &echo);
  root_.add(0x30000, region);
  EXPECT_EQ(space_.load(0x30000, 4), 0xffffffffu);
  EXPECT_LT(echo.calls, 100u);
}

TEST_F(DmaTest, ScatterListIsFilledFrontToBack) {
  ScatterList list;
  list.add(0x1000, 3);
  list.add(0x500, 0);
  list.add(0x2000, 5);
  EXPECT_EQ(list.size(), 8u);
  std::vector<u8> data(8);
  std::iota(data.begin(), data.end(), u8{1});
  EXPECT_EQ(list.to_guest(first_.dma, 0, data), MemResult::Ok);
  EXPECT_EQ(ram(0x1002), 3);
  EXPECT_EQ(ram(0x1003), 0);
  EXPECT_EQ(ram(0x2000), 4);
  EXPECT_EQ(ram(0x2004), 8);
}

TEST_F(DmaTest, ScatterListSkipsIntoLaterSegments) {
  ScatterList list;
  list.add(0x1000, 3);
  list.add(0x2000, 5);
  for (u64 i = 0; i < 5; ++i) space_.store(0x2000 + i, 0x10 + i, 1);
  std::vector<u8> data(3);
  EXPECT_EQ(list.from_guest(first_.dma, 4, data), MemResult::Ok);
  EXPECT_EQ(data, (std::vector<u8>{0x11, 0x12, 0x13}));
}

TEST_F(DmaTest, ScatterListThatIsTooShortMovesNothing) {
  ScatterList list;
  list.add(0x1000, 4);
  const std::vector<u8> data(5, 0xee);
  EXPECT_EQ(list.to_guest(first_.dma, 0, data), MemResult::Refused);
  EXPECT_EQ(list.to_guest(first_.dma, ~u64{0}, data), MemResult::Refused);
  EXPECT_EQ(ram(0x1000), 0);
}

TEST_F(DmaTest, ScatterListLengthsMayNotOverflow) {
  ScatterList list;
  list.add(0x1000, ~u64{0});
  list.add(0x1000, ~u64{0});
  EXPECT_EQ(list.size(), ~u64{0});
}

/// A handler that waits until another thread has tried to enter it.
struct Gate {
  std::atomic<bool> entered{false}, leave{false};
  std::atomic<unsigned> calls{0};
  u64 read(u64, unsigned) { return 0; }
  void write(u64, u64, unsigned) {
    ++calls;
    entered = true;
    while (!leave) std::this_thread::yield();
  }
};

TEST(DmaThreadTest, OtherProcessorsWaitInsteadOfBeingRefused) {
  LockDomain lock;
  MemoryMap map(&lock);
  Gate gate;
  Copier owner;
  Region root, region;
  root.init_container(nullptr, "root", 0x1000);
  region.init_io(&owner, "gate", 0x10, io<&Gate::read, &Gate::write>(), &gate);
  AddressSpace space(map, "memory", root);
  {
    const DomainGuard guard(&lock);
    root.add(0, region);
  }
  MemResult first{}, second{};
  std::thread one([&] { first = store_result(space, 0, 1, 4); });
  while (!gate.entered) std::this_thread::yield();
  std::thread two([&] { second = store_result(space, 4, 1, 4); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(gate.calls, 1u);
  gate.leave = true;
  one.join();
  two.join();
  EXPECT_EQ(first, MemResult::Ok);
  EXPECT_EQ(second, MemResult::Ok);
  EXPECT_EQ(gate.calls, 2u);
  const DomainGuard guard(&lock);
  region.reset();
}

}  // namespace
}  // namespace rhea
