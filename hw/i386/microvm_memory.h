// SPDX-License-Identifier: GPL-2.0-or-later
// Where the RAM and the firmware of a board without a chipset lie.
#pragma once

#include "hw/i386/pc_memory.h"
#include "hw/pci-host/i440fx.h"

namespace rhea::hw {

/// RAM below 3 GiB and from 4 GiB on; firmware below 4 GiB, its last 128 KiB below 1 MiB, too.
/// There being nothing that could unlock it, it can be written, and is made anew at each reset.
class MicrovmMemory {
 public:
  explicit MicrovmMemory(Machine& machine) : machine_(&machine), memory_(machine) {}

  Result<> allocate(const PcMemory::HostUse& use);
  /// `usual` unless the user names another.
  Result<> add_firmware(std::string_view usual);
  RamSplit ram() const { return split_; }

 private:
  Machine* machine_;
  PcMemory memory_;
  RamSplit split_;
  std::vector<u8> image_;
  Region low_, high_, firmware_, firmware_low_;
};

}  // namespace rhea::hw
