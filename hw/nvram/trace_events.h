// SPDX-License-Identifier: GPL-2.0-or-later
// What can be traced of fw_cfg.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

namespace rhea::hw::trace_nvram {

inline trace::DeviceEvent<u16> fw_cfg_select{"fw_cfg_select", "key {:#x}"};
inline trace::DeviceEvent<std::string, u16, u64> fw_cfg_add_file{"fw_cfg_add_file",
                                                                 "{} key {:#x} size {}"};
inline trace::DeviceEvent<u32, u32, u64> fw_cfg_dma{"fw_cfg_dma",
                                                    "control {:#x} length {} address {:#x}"};

}  // namespace rhea::hw::trace_nvram
