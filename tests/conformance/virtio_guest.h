// SPDX-License-Identifier: GPL-2.0-or-later
// A driver that knows virtio and nothing of what its device is for: rings, features and interrupts
// are as the specification has them, what stands in the buffers is random.
#pragma once

#include "tests/conformance/fixture.h"
#include "tests/support/ring_driver.h"

#include <array>
#include <memory>
#include <random>
#include <vector>

namespace rhea::test {

/// It belongs to the guest: a machine that is loaded from another one's state goes on with a copy.
class VirtioGuest {
 public:
  /// Of the specimen's device, or of the one whose bus it is on.
  explicit VirtioGuest(Specimen& specimen);
  std::shared_ptr<VirtioGuest> for_copy(Specimen& copy) const;

  bool is_there() const { return pci_ != nullptr || mmio_ != 0; }
  /// Resets the device, by any of its interfaces. Its registers have addresses.
  void reset(std::mt19937_64& random);
  /// Sets it up after that, with most of its features.
  void start(std::mt19937_64& random);
  /// Takes what the device gave back, and hands it more. Gives what there was to see.
  u64 use(std::mt19937_64& random);

 private:
  enum class Interface : u8 { Modern, Legacy, Mmio, MmioLegacy };
  struct Register {
    u64 at{};
    unsigned size{4};
  };
  /// Where registers lie that all interfaces have.
  struct Layout {
    Register status, features_select, features, accepted_select, accepted, queue, entries;
  };
  /// How the buffers of a queue look for a while.
  struct Shape {
    std::vector<u32> out, in;
  };
  struct Queue {
    u16 number{};
    bool event_index{}, indirect{};
    unsigned pending{0};       ///< entries that the device has
    std::vector<u16> slots{};  ///< of those given, by place in time
    Shape shape{};
    std::unique_ptr<RingDriver> ring{};
  };

  static const Layout& layout_of(Interface interface);
  const Layout& layout() const { return layout_of(interface_); }
  bool is_legacy() const {
    return interface_ == Interface::Legacy || interface_ == Interface::MmioLegacy;
  }
  bool choose_interface(std::mt19937_64& random);
  u64 get(Register reg) const;
  void put(Register reg, u64 value) const;
  u64 offered() const;
  void accept(u64 features) const;
  bool place_queue(u16 number, u64 features, std::mt19937_64& random);
  RingPlace place_modern(u16 number, u64 at, u16 entries, std::mt19937_64& random) const;
  RingPlace place_mmio(u64 at, u16 entries) const;
  RingPlace place_legacy(u64 at, u16 entries) const;
  void notify(u16 number) const;
  void fill(u64 address, u32 length, std::mt19937_64& random) const;
  std::vector<Piece> buffer(const Shape& shape, std::mt19937_64& random) const;
  u64 take_used(Queue& queue) const;
  void offer(Queue& queue, std::mt19937_64& random);

  Machine* machine_;
  PciDevice* pci_{};
  u64 mmio_{0};  ///< where its registers are; 0: it is no device behind a transport in memory
  Interface interface_{};
  bool is_reset_{false};
  u64 base_{0};
  bool is_port_{false};
  u64 notify_bytes_{4};  ///< from one queue's notification to the next one's
  std::vector<Queue> queues_;
};

}  // namespace rhea::test
