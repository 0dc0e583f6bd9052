// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of the floppy controller.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

#include <string>

namespace rhea::hw {

inline trace::DeviceEvent<u64, u64> fdc_ioport_read{"fdc_ioport_read", "register {} value {:#04x}"};
inline trace::DeviceEvent<u64, u64> fdc_ioport_write{"fdc_ioport_write",
                                                     "register {} value {:#04x}"};
inline trace::DeviceEvent<std::string> fdc_command{"fdc_command", "{}"};
inline trace::DeviceEvent<std::string> fdc_result{"fdc_result", "{}"};
inline trace::DeviceEvent<u32, u32, u32, u32> fdc_sectors{"fdc_sectors",
                                                          "cylinder {} head {} sector {} count {}"};
inline trace::DeviceEvent<u64, u8, u8> pflash_write{"pflash_write",
                                                    "offset {:#x} value {:#04x} phase {}"};

}  // namespace rhea::hw
