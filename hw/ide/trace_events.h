// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of the IDE channels and their devices.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

#include <string>
#include <string_view>

namespace rhea::hw {

inline trace::DeviceEvent<std::string_view, unsigned, unsigned> ide_reg_read{
    "ide_reg_read", "{} register {} value {:#04x}"};
inline trace::DeviceEvent<std::string_view, unsigned, unsigned> ide_reg_write{
    "ide_reg_write", "{} register {} value {:#04x}"};
inline trace::DeviceEvent<std::string_view, unsigned> ide_control_write{"ide_control_write",
                                                                        "{} value {:#04x}"};
inline trace::DeviceEvent<std::string_view, unsigned> ide_command{"ide_command",
                                                                  "{} command {:#04x}"};
inline trace::DeviceEvent<std::string_view, u64, u32> ide_sectors{"ide_sectors",
                                                                  "{} lba {} count {}"};
inline trace::DeviceEvent<std::string_view, std::string> atapi_packet{"atapi_packet", "{} cdb {}"};
inline trace::DeviceEvent<std::string_view, unsigned, unsigned> atapi_sense{
    "atapi_sense", "{} key {:#x} asc {:#04x}"};
inline trace::DeviceEvent<std::string_view, u64, u64> bmdma_write{"bmdma_write",
                                                                  "{} register {} value {:#04x}"};
inline trace::DeviceEvent<std::string_view, u32, u32> bmdma_prd{"bmdma_prd",
                                                                "{} address {:#x} length {:#x}"};

}  // namespace rhea::hw
