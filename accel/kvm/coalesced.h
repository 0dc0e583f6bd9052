// SPDX-License-Identifier: GPL-2.0-or-later
// Writes that the kernel collects in a ring, so that many of them cost one exit.
#pragma once

#include "accel/kvm/uapi.h"
#include "rhea/softmmu/address_space.h"
#include "rhea/softmmu/clock.h"

#include <atomic>
#include <set>

namespace rhea::kvm {

class Vm;

/// The ring of a VM; every vCPU's mapping shows the same one. Drained before any exit is handled,
/// before dirty bits are fetched, when a vCPU stops, and by a timer while there are ranges.
class CoalescedRing {
 public:
  explicit CoalescedRing(Vm& vm);

  /// The page behind a vCPU's shared area; the mapping must stay.
  void map(kvm_coalesced_mmio_ring* ring) {
    if (ring_ == nullptr) ring_ = ring;
  }
  bool pending() const { return ring_ != nullptr && load(ring_->first) != load(ring_->last); }
  /// Delivers what is in the ring, in order. The machine's lock is the ring's: taken unless held.
  void drain() {
    if (pending()) drain_pending();
  }
  void add_range();
  void remove_range();
  unsigned ranges() const { return ranges_; }

 private:
  static u32 load(u32& index) { return std::atomic_ref(index).load(std::memory_order_acquire); }
  void drain_pending();

  Vm* vm_;
  kvm_coalesced_mmio_ring* ring_{};
  bool draining_{false};
  unsigned ranges_{0};
  Timer timer_;
};

/// Follows the coalesced ranges of one address space.
class CoalescedRanges final : public MemoryListener {
 public:
  enum class Space : u8 { Memory, Ports };
  CoalescedRanges(Vm& vm, Space space) : vm_(&vm), space_(space) {}
  void coalesced_add(u64 address, u64 size) override;
  void coalesced_del(u64 address, u64 size) override;
  void flush_coalesced() override;

 private:
  bool offered() const;
  int request(unsigned long ioctl_number, u64 address, u64 size);

  Vm* vm_;
  Space space_;
  std::set<std::pair<u64, u64>> registered_;  ///< address and size
};

}  // namespace rhea::kvm
