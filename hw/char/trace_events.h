// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of character devices.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

namespace rhea::hw {

inline trace::DeviceEvent<u64, u64> serial_write{"serial_write", "register {} value {:#x}"};
inline trace::DeviceEvent<u64, u8> serial_read{"serial_read", "register {} value {:#x}"};
inline trace::DeviceEvent<u64, u64> serial_set_rate{"serial_set_rate",
                                                    "divisor {} character time {} ns"};

}  // namespace rhea::hw
