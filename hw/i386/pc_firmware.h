// SPDX-License-Identifier: GPL-2.0-or-later
// What a PC's firmware is told of the machine: CMOS, fw_cfg items, tables.
#pragma once

#include "hw/i386/acpi_tables.h"
#include "hw/i386/smbios.h"
#include "hw/pci-host/i440fx.h"
#include "rhea/hw/fw_cfg.h"
#include "rhea/softmmu/machine.h"
#include "softmmu/numa.h"

#include <functional>

namespace rhea::hw {

struct PcFacts {
  RamSplit ram;
  bool acpi{true};
  bool pic{true};                  ///< there are 8259s
  bool graphics{true};             ///< false: the firmware's text goes to the first serial port
  std::function<u16()> pm_base{};  ///< of the power management ports; 0: not set
  SleepStates sleep{};
  u8 floppy_types[2]{};   ///< as CMOS register 0x10 codes them; 0: no drive
  SmbiosConfig smbios{};  ///< the board's version and what the user said
  bool has_smbios{true};  ///< false: it is the firmware's affair
  NumaTables numa{};
  DeviceTables devices{};
  std::vector<std::vector<u8>> acpi_tables{};  ///< the user's own
};

NumaTables numa_tables(const MachineConfig& config, const Numa& numa);
/// The CMOS bytes by which SeaBIOS learns memory, CPUs, floppies and the boot order; (index, value)
/// pairs.
std::vector<std::pair<u8, u8>> cmos_contents(const MachineConfig& config, const PcFacts& facts);
/// Items and files that never change after the board stands. Errors name the option at fault.
Result<> fill_fw_cfg(FwCfg& fw_cfg, const MachineConfig& config, const PcFacts& facts);

}  // namespace rhea::hw
