// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of the memory core.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/trace.h"
#include "rhea/util/types.h"

#include <string>

namespace rhea::softmmu {

inline trace::Event<std::string, u64, unsigned, bool> memory_unassigned{
    "memory_unassigned", "space {} addr {:#x} size {} write {}"};
inline trace::DeviceEvent<std::string, u64, unsigned, u64> memory_region_read{
    "memory_region_read", "region {} offset {:#x} size {} value {:#x}"};
inline trace::DeviceEvent<std::string, u64, unsigned, u64> memory_region_write{
    "memory_region_write", "region {} offset {:#x} size {} value {:#x}"};
inline trace::Event<std::string, std::size_t> memory_view_published{"memory_view_published",
                                                                    "space {} ranges {}"};

}  // namespace rhea::softmmu
