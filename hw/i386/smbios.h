// SPDX-License-Identifier: GPL-2.0-or-later
// SMBIOS tables of the PC board (DMTF DSP0134, 2.8 entry point).
#pragma once

#include "rhea/util/types.h"

#include <vector>

namespace rhea::hw {

struct SmbiosConfig {
  u64 ram_size{};
  u64 low_ram{};  ///< bytes below 4 GiB
  unsigned sockets{1}, cores{1}, threads{1};
};

struct SmbiosTables {
  std::vector<u8> tables;  ///< fw_cfg file etc/smbios/smbios-tables
  std::vector<u8> anchor;  ///< etc/smbios/smbios-anchor
};

SmbiosTables build_smbios(const SmbiosConfig& config);

}  // namespace rhea::hw
