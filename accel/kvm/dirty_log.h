// SPDX-License-Identifier: GPL-2.0-or-later
// Which pages the guest has written, by whichever of KVM's three ways this VM uses; the answer is
// the same.
#pragma once

#include "accel/kvm/memory_slots.h"
#include "accel/kvm/uapi.h"

#include <atomic>
#include <span>
#include <string>
#include <vector>

namespace rhea::kvm {

class Vm;

/// Under the machine's lock, but for what says otherwise.
class DirtyLog {
 public:
  enum class Way : u8 {
    Fetch,   ///< KVM_GET_DIRTY_LOG gives the bitmap and protects the pages again
    Manual,  ///< it only gives the bitmap; KVM_CLEAR_DIRTY_LOG protects what was taken
    Ring,    ///< every vCPU writes the pages' numbers into a ring
  };

  explicit DirtyLog(Vm& vm) : vm_(&vm) {}
  /// Before there are vCPUs. `ring_entries` 0: a bitmap, protected by hand where KVM can.
  Result<> set_up(u32 ring_entries);
  Way way() const { return way_; }
  std::string describe() const;

  /// Bytes of the ring to map behind each vCPU; 0 without rings.
  std::size_t ring_bytes() const { return ring_entries_ * sizeof(kvm_dirty_gfn); }
  /// The mapping stays until the VM ends.
  void add_ring(std::span<kvm_dirty_gfn> ring) { rings_.push_back({.entries = ring}); }

  /// Brings what the guest has written in the slot so far to its RAM block.
  void sync(Slot& slot);
  /// Empties the rings of all vCPUs: for sync, and when one is full. Takes the machine's lock.
  void harvest();
  /// Pages [first, last] (guest addresses) of the slot were taken by a client: log writes to them
  /// again.
  void protect(Slot& slot, u64 first, u64 last);

 private:
  struct Ring {
    std::span<kvm_dirty_gfn> entries;
    u32 next{0};
  };
  void fetch(Slot& slot);
  u32 harvest_ring(Ring& ring);

  Vm* vm_;
  Way way_{Way::Fetch};
  u32 ring_entries_{0};
  std::vector<Ring> rings_;
};

}  // namespace rhea::kvm
