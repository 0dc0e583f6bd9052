// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of display devices.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

namespace rhea::hw {

inline trace::DeviceEvent<u16, u8> vga_port_read{"vga_port_read", "port {:#x} value {:#04x}"};
inline trace::DeviceEvent<u16, u8> vga_port_write{"vga_port_write", "port {:#x} value {:#04x}"};
inline trace::DeviceEvent<u16, u16> vga_vbe_read{"vga_vbe_read", "index {} value {:#06x}"};
inline trace::DeviceEvent<u16, u16> vga_vbe_write{"vga_vbe_write", "index {} value {:#06x}"};
inline trace::DeviceEvent<int, int, int> vga_mode{"vga_mode", "kind {} {}x{}"};
inline trace::DeviceEvent<int> vga_window_kind{"vga_window_kind", "kind {}"};

}  // namespace rhea::hw
