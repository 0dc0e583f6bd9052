// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of host bridges.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

namespace rhea::hw {

inline trace::DeviceEvent<u64, unsigned> i440fx_pam{
    "i440fx_pam", "segment {:#x} mode {} (1 reads, 2 writes go to RAM)"};

}  // namespace rhea::hw
