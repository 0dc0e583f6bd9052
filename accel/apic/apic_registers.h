// SPDX-License-Identifier: GPL-2.0-or-later
// Offsets of the local APIC's registers in its page (SDM vol. 3, table 11-1). The x2APIC's MSRs are
// kX2apicMsrs + offset / 16 (table 11-6); KVM_GET_LAPIC's page has the same layout.
#pragma once

#include "rhea/util/types.h"

namespace rhea::apic::reg {

inline constexpr unsigned kId = 0x20, kVersion = 0x30, kTpr = 0x80, kApr = 0x90, kPpr = 0xa0,
                          kEoi = 0xb0, kLdr = 0xd0, kDfr = 0xe0, kSvr = 0xf0;
/// Of the next three there are eight each, of 32 vectors.
inline constexpr unsigned kIsr = 0x100, kTmr = 0x180, kIrr = 0x200;
inline constexpr unsigned kEsr = 0x280, kIcrLow = 0x300, kIcrHigh = 0x310;
inline constexpr unsigned kLvtTimer = 0x320, kLvtLint1 = 0x360, kLvtError = 0x370;
inline constexpr unsigned kInitialCount = 0x380, kCurrentCount = 0x390, kDivide = 0x3e0;
inline constexpr unsigned kSelfIpi = 0x3f0;  ///< x2APIC only

inline constexpr u32 kX2apicMsrs = 0x800;

/// Bits of the local vector table and of ICR.
inline constexpr u32 kMasked = 1 << 16, kPending = 1 << 12;

/// Bits of ESR.
inline constexpr u32 kSendIllegal = 1 << 5, kReceiveIllegal = 1 << 6, kIllegalRegister = 1 << 7;

}  // namespace rhea::apic::reg
