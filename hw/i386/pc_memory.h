// SPDX-License-Identifier: GPL-2.0-or-later
// Where a PC's RAM and firmware lie.
#pragma once

#include "rhea/softmmu/machine.h"

#include <vector>

namespace rhea::hw {

/// RAM, the firmware at the top of the first 4 GiB and its shadow below 1 MiB, the option ROM area.
/// Where RAM is seen is the host bridge's business (hw/pci-host/i440fx.h).
class PcMemory {
 public:
  explicit PcMemory(Machine& machine) : machine_(&machine) {}
  Result<> allocate();
  /// Loads the firmware and shows it in the PCI space, which is what lies under RAM and behind PAM.
  Result<> add_firmware();

  Region& ram() { return ram_; }
  Region& pci_memory() { return pci_memory_; }

 private:
  Machine* machine_;
  Region ram_;
  Region pci_memory_;
  Region bios_;
  Region bios_low_;
  Region option_roms_;
};

}  // namespace rhea::hw
