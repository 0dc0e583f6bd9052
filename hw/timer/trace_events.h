// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of the timers.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

namespace rhea::hw {

inline trace::DeviceEvent<u64, u64> pit_write{"pit_write", "register {} value {:#x}"};
inline trace::DeviceEvent<u64, u8> pit_read{"pit_read", "register {} value {:#x}"};
inline trace::DeviceEvent<bool> pit_output{"pit_output", "channel 0 level {}"};
inline trace::DeviceEvent<unsigned> hpet_expires{"hpet_expires", "timer {}"};

}  // namespace rhea::hw
