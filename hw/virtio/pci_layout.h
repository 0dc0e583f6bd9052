// SPDX-License-Identifier: GPL-2.0-or-later
// Where what lies in the BARs of virtio's PCI devices: the modern BAR as QEMU's, the legacy one as
// the specification has it (OASIS Virtual I/O Device 1.2, 4.1.4).
#pragma once

#include "rhea/util/types.h"

namespace rhea::hw::virtio_pci {

inline constexpr unsigned kLegacyBar = 0, kMsixBar = 1, kPortNotifyBar = 2, kModernBar = 4;
inline constexpr u64 kCommon = 0, kInterrupt = 0x1000, kFunction = 0x2000, kNotify = 0x3000,
                     kPartBytes = 0x1000;
inline constexpr u64 kMostQueues = 1024;
// Types of capabilities, and their bytes behind id, link and length.
inline constexpr u8 kCommonType = 1, kNotifyType = 2, kInterruptType = 3, kFunctionType = 4,
                    kWindowType = 5;
// In a capability.
inline constexpr unsigned kCapBar = 4, kCapOffset = 8, kCapLength = 12, kCapData = 16;

// Legacy.
inline constexpr u64 kLegacyNotify = 0x10, kLegacyVectors = 0x14, kLegacyPlain = 0x14,
                     kLegacyMsix = 0x18, kLegacyRest = 0x14;
inline constexpr unsigned kLegacyPageShift = 12;
inline constexpr u64 kLegacyAlign = 4096;

}  // namespace rhea::hw::virtio_pci
