// SPDX-License-Identifier: GPL-2.0-or-later
// SMBIOS tables of the PC board (DMTF DSP0134, 2.8 entry point).
#pragma once

#include "hw/i386/smbios_option.h"
#include "rhea/util/types.h"
#include "softmmu/uuid_option.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rhea::hw {

struct SmbiosConfig {
  u64 ram_size{};
  u64 low_ram{};  ///< bytes below 4 GiB
  unsigned sockets{1}, cores{1}, threads{1};
  std::string board{"pc-i440fx-7.2"};  ///< the versioned name
  MachineUuid::Bytes uuid{};           ///< as it is written
  bool swap_uuid{true};         ///< its numbers least significant byte first, as DSP0134 has it
  const SmbiosOptions* user{};  ///< may be null: -smbios said nothing
  /// Slot and function of the PCI device with this id; nullopt: there is none.
  std::function<std::optional<u8>(const std::string& id)> pci_device{};
};

struct SmbiosTables {
  std::vector<u8> tables;  ///< fw_cfg file etc/smbios/smbios-tables
  std::vector<u8> anchor;  ///< etc/smbios/smbios-anchor
};

/// Errors name what -smbios asks for and the machine has not.
Result<SmbiosTables> build_smbios(const SmbiosConfig& config);

}  // namespace rhea::hw
