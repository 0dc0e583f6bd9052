// SPDX-License-Identifier: GPL-2.0-or-later
// What fw_cfg says of -boot and of boot indices, on every board that has it.
#pragma once

#include "rhea/hw/fw_cfg.h"
#include "rhea/softmmu/machine.h"

namespace rhea::hw {

/// The menu, the picture, how long they stay, when to try again; and the devices with a boot index,
/// renewed at each reset. Once, on the main thread; `fw_cfg` lives as long as the machine. Errors
/// name -boot.
Result<> add_boot_files(Machine& machine, FwCfg& fw_cfg);

}  // namespace rhea::hw
