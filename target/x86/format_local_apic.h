// SPDX-License-Identifier: GPL-2.0-or-later
// The text of `info lapic`.
#pragma once

#include "target/x86/cpu_state.h"

#include <string>

namespace rhea::x86 {

/// The local APIC of a processor in the layout that QEMU's users know; "" when it has none.
std::string format_local_apic(const CpuState& state, unsigned cpu_index);

}  // namespace rhea::x86
