// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of the interrupt controllers.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

namespace rhea::hw {

inline trace::DeviceEvent<unsigned, bool> pic_set_irq{"pic_set_irq", "irq {} level {}"};
inline trace::DeviceEvent<u64, u64> pic_write{"pic_write", "port {:#x} value {:#x}"};
inline trace::DeviceEvent<u64, u64> pic_read{"pic_read", "port {:#x} value {:#x}"};
inline trace::DeviceEvent<u8> pic_acknowledge{"pic_acknowledge", "vector {:#x}"};

inline trace::DeviceEvent<unsigned, bool> ioapic_set_irq{"ioapic_set_irq", "pin {} level {}"};
inline trace::DeviceEvent<unsigned, u32> ioapic_write{"ioapic_write", "register {:#x} value {:#x}"};
inline trace::DeviceEvent<unsigned, u64, u32> ioapic_send{"ioapic_send",
                                                          "pin {} address {:#x} data {:#x}"};
inline trace::DeviceEvent<u8> ioapic_eoi{"ioapic_eoi", "vector {:#x}"};

}  // namespace rhea::hw
