// SPDX-License-Identifier: GPL-2.0-or-later
// Our own option ROMs (pc-bios/) and those of -option-rom, handed to the firmware by fw_cfg.
#pragma once

#include "rhea/hw/fw_cfg.h"

namespace rhea::hw {

/// The ROM that boots a kernel: "linuxboot", "multiboot" or "pvh", with its checksums.
std::vector<u8> kernel_rom(std::string_view name);
/// Firmware runs it when it starts. `name` is a plain file name.
Result<> add_option_rom(FwCfg& fw_cfg, std::string_view name, std::vector<u8> image);

}  // namespace rhea::hw
