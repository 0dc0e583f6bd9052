// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of logical units.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

#include <string>

namespace rhea::hw {

inline trace::DeviceEvent<std::string> scsi_command{"scsi_command", "cdb {}"};
inline trace::DeviceEvent<unsigned, unsigned, unsigned> scsi_sense{
    "scsi_sense", "key {:#x} asc {:#04x} ascq {:#04x}"};

}  // namespace rhea::hw
