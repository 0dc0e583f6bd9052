// SPDX-License-Identifier: GPL-2.0-or-later
// A driver for virtio's PCI devices on a bench, modern and legacy.
#pragma once

#include "hw/virtio/virtio_core.h"
#include "tests/support/bench.h"
#include "tests/support/ring_driver.h"

#include <memory>
#include <string_view>

namespace rhea::test {

inline constexpr u64 kVersion1 = hw::virtio::bit(hw::virtio::kVersion1),
                     kPacked = hw::virtio::bit(hw::virtio::kRingPacked),
                     kEventIdx = hw::virtio::bit(hw::virtio::kEventIndex),
                     kIndirect = hw::virtio::bit(hw::virtio::kIndirectDescriptors),
                     kRingReset = hw::virtio::bit(hw::virtio::kRingReset);

/// A capability of virtio's, as the device describes it.
struct VirtioCapability {
  unsigned at{};  ///< in configuration space; 0: there is none
  u8 bar{};
  u32 offset{}, length{};
};

class VirtioPciDriver {
 public:
  static constexpr unsigned kSlot = 3, kDevfn = kSlot << 3, kLink = 3;
  static constexpr u64 kPorts = 0xc000, kMsix = 0xe000'0000, kModern = 0xe010'0000;
  using Core = hw::VirtioCore;

  /// Maps the BARs and makes the device a bus master.
  VirtioPciDriver(Bench& bench, std::string_view type, Properties properties = {});
  void map();

  /// `number`: which of those of that type.
  VirtioCapability capability(u8 type) const;
  u64 modern(u64 offset, unsigned size) { return bench->load(kModern + offset, size); }
  void modern(u64 offset, u64 value, unsigned size) { bench->store(kModern + offset, value, size); }
  u64 legacy(u64 offset, unsigned size) {
    return bench->in(static_cast<u16>(kPorts + offset), size);
  }
  void legacy(u64 offset, u64 value, unsigned size) {
    bench->out(static_cast<u16>(kPorts + offset), value, size);
  }

  u8 status() { return static_cast<u8>(modern(0x14, 1)); }
  void set_status(u8 status) { modern(0x14, status, 1); }
  u64 offered();
  void accept(u64 features);
  /// Status up to FEATURES_OK; whether the device took it.
  bool negotiate(u64 features);
  /// Puts queue `number` where `place` says, with `vector`, and enables it.
  void enable_queue(u16 number, const RingPlace& place, u16 vector = 0xffff);
  void drive() {
    set_status(Core::kAcknowledge | Core::kDriver | Core::kFeaturesOk | Core::kDriverOk);
  }
  /// All of that, with one queue.
  std::unique_ptr<RingDriver> start(u64 features, const RingPlace& place = {}, u16 vector = 0xffff);
  std::unique_ptr<SplitDriver> start_legacy(u32 features = 0);
  void notify(u16 queue) { modern(0x3000 + u64{4} * queue, queue, 2); }
  u8 take_interrupt_status() { return static_cast<u8>(modern(0x1000, 1)); }
  bool interrupted() const { return bench->intx(kLink); }
  void enable_msix(unsigned vectors);

  AddressSpace& memory() const { return bench->machine().memory(); }
  PciDevice& device() const { return *bench->pci().device(kDevfn); }
  Bench* bench;
};

}  // namespace rhea::test
