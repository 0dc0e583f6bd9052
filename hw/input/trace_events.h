// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of the keyboard controller, the keyboard and the mouse.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

namespace rhea::hw {

inline trace::DeviceEvent<u8> i8042_command{"i8042_command", "value {:#x}"};
inline trace::DeviceEvent<u8> i8042_write_data{"i8042_write_data", "value {:#x}"};
inline trace::DeviceEvent<u8> i8042_read_data{"i8042_read_data", "value {:#x}"};
inline trace::DeviceEvent<u8, bool> ps2_key{"ps2_key", "number {:#x} down {}"};
inline trace::DeviceEvent<u8> ps2_keyboard_command{"ps2_keyboard_command", "byte {:#x}"};
inline trace::DeviceEvent<int, int, int, u8> ps2_mouse_event{"ps2_mouse_event",
                                                             "dx {} dy {} dz {} buttons {:#x}"};
inline trace::DeviceEvent<u8> ps2_mouse_command{"ps2_mouse_command", "byte {:#x}"};

}  // namespace rhea::hw
