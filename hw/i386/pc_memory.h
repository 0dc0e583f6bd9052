// SPDX-License-Identifier: GPL-2.0-or-later
// Where a PC's RAM and firmware lie.
#pragma once

#include "hw/block/pflash_cfi01.h"
#include "rhea/softmmu/machine.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace rhea::hw {

/// RAM, the firmware (ROM or flash) at the top of the first 4 GiB and its shadow below 1 MiB, the
/// option ROM area. Where RAM is seen is the host bridge's business (hw/pci-host/i440fx.h).
class PcMemory {
 public:
  explicit PcMemory(Machine& machine) : machine_(&machine) {}
  /// What the host may do with guest memory.
  struct HostUse {
    std::string backend;  ///< id of the back end to take it from; empty: the options' choice
    bool merge, dump;
  };
  Result<> allocate(HostUse use);
  /// Puts the firmware, in flash or ROM, into the PCI space, which is what lies under RAM and
  /// behind PAM. `flash_drives` names the drives of -machine pflash0= and pflash1=; those of -drive
  /// if=pflash are found without.
  Result<> add_firmware(const std::array<std::string, 2>& flash_drives);

  /// Shows the first 64 KiB of RAM at 1 MiB, too: all that real-mode code can see of a closed A20
  /// gate where processors do not mask their addresses themselves. Whoever else looks sees it, too.
  void wrap_at_1m(bool on);

  Region& ram() { return ram_; }
  Region& pci_memory() { return pci_memory_; }

 private:
  static void advise(const Region& ram, const HostUse& use);
  Result<> take_backend(HostUse& use);
  Result<> allocate_nodes(const HostUse& use);
  Result<> add_rom();
  Result<> add_flash(const std::array<BlockBackend*, 2>& drives);
  void show_below_1m(Region& firmware);

  Machine* machine_;
  std::vector<std::unique_ptr<Region>> pieces_;  ///< of ram_, with -numa node,memdev=
  Region ram_;
  Region pci_memory_;
  Region bios_;
  Region bios_low_;
  Region wrap_;
  Region option_roms_;
};

}  // namespace rhea::hw
