// SPDX-License-Identifier: GPL-2.0-or-later
// System management mode: where the board and an accelerator that has it meet.
#pragma once

#include "rhea/softmmu/machine.h"

#include <functional>
#include <memory>

namespace rhea {

/// machine.service<SystemManagement>().
class SystemManagement final : public MachineService {
 public:
  explicit SystemManagement(Machine& machine) : machine_(&machine) {
    smram_.init_container(nullptr, "smram", Region::kWholeSpace);
  }

  /// Where the chipset puts, at its address, what only processors in this mode see.
  Region& smram() { return smram_; }

  /// Memory as those processors see it: SMRAM in front of the rest. Made on first use, because each
  /// space costs time at every change of the map.
  AddressSpace& memory() {
    if (memory_) return *memory_;
    const Transaction transaction(machine_->map());
    root_.init_container(nullptr, "smm", Region::kWholeSpace);
    system_.init_alias(nullptr, "smm-system", machine_->system_memory(), 0, Region::kWholeSpace);
    root_.add(0, system_);
    root_.add(0, smram_, 1);
    memory_ = std::make_unique<AddressSpace>(machine_->map(), "smm", root_);
    return *memory_;
  }

  /// Whether the processors have this mode; set by an accelerator that does before the board is
  /// built.
  bool available{false};
  /// A system management interrupt for the boot processor; set by the accelerator, or empty.
  /// Called under the machine's lock.
  std::function<void()> interrupt;

 private:
  Machine* machine_;
  Region smram_, root_, system_;
  std::unique_ptr<AddressSpace> memory_;
};

}  // namespace rhea
