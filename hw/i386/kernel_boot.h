// SPDX-License-Identifier: GPL-2.0-or-later
// -kernel, -initrd and -append on a PC.
#pragma once

#include "hw/i386/boot_plan.h"
#include "rhea/hw/fw_cfg.h"

namespace rhea::hw {

struct KernelOptions {
  std::string kernel, initrd, append;
};

/// Loads what the options name; firmware gets it by fw_cfg and boots it before all else. Nothing
/// happens without a kernel.
Result<> add_kernel(Machine& machine, FwCfg& fw_cfg, const KernelOptions& options, u64 low_ram);

}  // namespace rhea::hw
