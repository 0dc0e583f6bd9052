// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of the PCI bus.
#pragma once

#include "rhea/qom/device_trace.h"
#include "rhea/util/types.h"

namespace rhea::hw {

inline trace::DeviceEvent<unsigned, unsigned, unsigned, u32> pci_config_read{
    "pci_config_read", "slot.fn {:#04x} reg {:#04x} size {} value {:#x}"};
inline trace::DeviceEvent<unsigned, unsigned, unsigned, u32> pci_config_write{
    "pci_config_write", "slot.fn {:#04x} reg {:#04x} size {} value {:#x}"};
inline trace::DeviceEvent<unsigned, std::string_view, u64, u64> pci_bar_map{
    "pci_bar_map", "slot.fn {:#04x} region {} address {:#x} size {:#x}"};
inline trace::DeviceEvent<unsigned, std::string_view, u64> pci_bar_unmap{
    "pci_bar_unmap", "slot.fn {:#04x} region {} address {:#x}"};
inline trace::DeviceEvent<unsigned, unsigned, bool> pci_intx{"pci_intx",
                                                             "slot.fn {:#04x} link {} level {}"};
inline trace::DeviceEvent<unsigned, u64, u32> pci_msi{"pci_msi",
                                                      "slot.fn {:#04x} address {:#x} data {:#x}"};

}  // namespace rhea::hw
