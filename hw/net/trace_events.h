// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of network cards.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

namespace rhea::hw {

inline trace::DeviceEvent<u64> e1000_sent{"e1000_sent", "length {}"};
inline trace::DeviceEvent<u64, u64> e1000_received{"e1000_received", "length {} descriptors {}"};
inline trace::DeviceEvent<u64> e1000_filtered{"e1000_filtered", "length {}"};
inline trace::DeviceEvent<u64> e1000_no_room{"e1000_no_room", "length {}"};
inline trace::DeviceEvent<bool> e1000_link{"e1000_link", "up {}"};
inline trace::DeviceEvent<u32, u32> e1000_causes{"e1000_causes", "new {:#x} all {:#x}"};

inline trace::DeviceEvent<u64> rtl8139_sent{"rtl8139_sent", "length {}"};
inline trace::DeviceEvent<u64> rtl8139_received{"rtl8139_received", "length {}"};
inline trace::DeviceEvent<u64> rtl8139_filtered{"rtl8139_filtered", "length {}"};
inline trace::DeviceEvent<u64> rtl8139_no_room{"rtl8139_no_room", "length {}"};
inline trace::DeviceEvent<bool> rtl8139_link{"rtl8139_link", "up {}"};

}  // namespace rhea::hw
