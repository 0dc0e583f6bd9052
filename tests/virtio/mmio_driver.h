// SPDX-License-Identifier: GPL-2.0-or-later
// A driver for a virtio device behind registers in memory on a bench, of version 2 and of
// version 1.
#pragma once

#include "hw/virtio/virtio_mmio.h"
#include "tests/support/bench.h"
#include "tests/support/ring_driver.h"

#include <memory>
#include <string_view>

namespace rhea::test {

class VirtioMmioDriver {
 public:
  static constexpr unsigned kLine = 5;
  static constexpr u64 kPageBytes = 4096;
  using Core = hw::VirtioCore;

  /// A transport, its interrupt on line 5, and a device of this type on its bus; none if empty.
  VirtioMmioDriver(Bench& bench, bool legacy, std::string_view type, const Properties& properties);

  u64 get(u64 reg) const { return bench->load(kRegisters + reg, 4); }
  void put(u64 reg, u64 value) const { bench->store(kRegisters + reg, value, 4); }
  u64 config(u64 at, unsigned size) const { return bench->load(kRegisters + 0x100 + at, size); }
  u8 status() const { return static_cast<u8>(get(0x70)); }
  void set_status(u64 status) const { put(0x70, status); }
  u64 offered() const;
  void accept(u64 features) const;
  /// Status up to the features; whether the device took them.
  bool negotiate(u64 features) const;
  /// A queue of eight entries at `at`, enabled, and its driver's half.
  std::unique_ptr<RingDriver> enable_queue(u16 number, u64 at, bool packed = false) const;
  void drive() const;
  /// All of that, with queue 0 at kRing.
  std::unique_ptr<RingDriver> start(u64 features, bool packed = false) const;
  void notify(u64 queue) const { put(0x50, queue); }
  bool interrupted() const { return bench->irq(kLine); }

  static constexpr u64 kRegisters = hw::VirtioMmio::kBase, kRing = 0x4'0000;
  static constexpr u16 kEntries = 8;
  Bench* bench;
  bool legacy;
  Device* transport{};
  Device* device{};
};

}  // namespace rhea::test
