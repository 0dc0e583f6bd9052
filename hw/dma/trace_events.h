// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of the DMA controllers.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

namespace rhea::hw {

inline trace::DeviceEvent<u64, u64> dma_write{"dma_write", "port {:#x} value {:#x}"};
inline trace::DeviceEvent<u64, u8> dma_read{"dma_read", "port {:#x} value {:#x}"};
inline trace::DeviceEvent<unsigned, u64, u32, u32> dma_transfer{
    "dma_transfer", "channel {} address {:#x} moved {} of {} bytes"};

}  // namespace rhea::hw
