// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of power management.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

namespace rhea::hw {

inline trace::DeviceEvent<unsigned> piix4_sleep{"piix4_sleep", "type {}"};

}  // namespace rhea::hw
