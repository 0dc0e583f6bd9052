// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of miscellaneous devices.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

namespace rhea::hw {

inline trace::DeviceEvent<u64, u64, u64, bool> edu_dma{
    "edu_dma", "source {:#x} destination {:#x} count {:#x} done {}"};

inline trace::DeviceEvent<u64> pcspk_write{"pcspk_write", "value {:#x}"};

}  // namespace rhea::hw
