// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of the real-time clock.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

namespace rhea::hw {

inline trace::DeviceEvent<unsigned, u8> cmos_write{"cmos_write", "index {:#x} value {:#x}"};
inline trace::DeviceEvent<unsigned, u8> cmos_read{"cmos_read", "index {:#x} value {:#x}"};
inline trace::DeviceEvent<u8> rtc_interrupt{"rtc_interrupt", "flags {:#x}"};

}  // namespace rhea::hw
