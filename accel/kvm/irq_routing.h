// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's table from global system interrupts to controller pins and messages.
#pragma once

#include "accel/kvm/uapi.h"
#include "rhea/softmmu/interrupt.h"
#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <set>
#include <vector>

namespace rhea::kvm {

class Vm;

/// Under the machine's lock. Changes count from commit() on.
class IrqRouting {
 public:
  /// Interrupts below `reserved` belong to controller pins; messages get numbers from there on.
  explicit IrqRouting(Vm& vm, u32 reserved = 24) : vm_(&vm), reserved_(reserved) {}

  void add_pin(u32 gsi, u32 chip, u32 pin);
  /// What the interrupt sends from now on; true when that is a change.
  bool set_message(u32 gsi, const MsiMessage& message);
  /// A free number that sends `message`.
  Result<u32> add_message(const MsiMessage& message);
  /// Forgets everything about the interrupt.
  void remove(u32 gsi);
  Result<> commit();
  std::size_t size() const { return entries_.size(); }

 private:
  Vm* vm_;
  u32 reserved_;
  std::vector<kvm_irq_routing_entry> entries_;
  std::set<u32> taken_;
};

}  // namespace rhea::kvm
