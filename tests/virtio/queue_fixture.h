// SPDX-License-Identifier: GPL-2.0-or-later
// A virtqueue by itself, in the memory of a bench.
#pragma once

#include "hw/virtio/virtqueue.h"
#include "tests/support/bench.h"
#include "tests/support/ring_driver.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace rhea::test {

/// Of tests whose parameter is whether the ring is packed.
inline std::string layout_name(const testing::TestParamInfo<bool>& tested) {
  return tested.param ? "Packed" : "Split";
}

inline constexpr u64 kData = 0x2'0000, kTable = 0x3'0000;

/// With an edu as the device that it belongs to; its registers are at kRegisters.
class LoneQueue final : public hw::QueueHost {
 public:
  static constexpr u64 kRegisters = 0xe000'0000;

  explicit LoneQueue(const hw::RingRules& rules, u16 entries = 8) {
    rules_ = rules;
    Device& device = bench.add("edu", {{"addr", "3"}});
    bench.config_write(3 << 3, pci::kBar0, kRegisters, 4);
    bench.config_write(3 << 3, pci::kCommand, pci::kCommandMemory, 2);
    master_.init(device, bench.machine().memory());
    place.entries = entries;
    queue.init(*this, 0, entries);
    queue.set_address(hw::VirtQueue::Area::Descriptors, place.descriptors);
    queue.set_address(hw::VirtQueue::Area::Driver, place.driver);
    queue.set_address(hw::VirtQueue::Area::Device, place.device);
    queue.enable();
    if (rules.packed)
      driver = std::make_unique<PackedDriver>(bench.machine().memory(), place);
    else
      driver = std::make_unique<SplitDriver>(bench.machine().memory(), place);
  }
  const DmaMaster& memory() const override { return master_; }
  void queue_broken(u16, std::string_view why) override {
    ++broken;
    reason = why;
  }
  SplitDriver& split() { return static_cast<SplitDriver&>(*driver); }
  PackedDriver& packed() { return static_cast<PackedDriver&>(*driver); }
  hw::Popped pop() { return queue.pop(buffer); }
  /// Takes one and gives it back.
  hw::Popped echo(u32 written = 0) {
    const hw::Popped popped = pop();
    if (popped == hw::Popped::One) queue.push(buffer, written);
    return popped;
  }

  Bench bench;
  RingPlace place;
  hw::VirtQueue queue;
  std::unique_ptr<RingDriver> driver;
  hw::VirtBuffer buffer;
  unsigned broken{0};
  std::string reason;

 private:
  DmaMaster master_;
};

}  // namespace rhea::test
