// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of the ISA bridge.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

namespace rhea::hw {

inline trace::DeviceEvent<unsigned, unsigned, unsigned, unsigned> piix3_route{
    "piix3_route", "PIRQA {:#04x} PIRQB {:#04x} PIRQC {:#04x} PIRQD {:#04x}"};

}  // namespace rhea::hw
