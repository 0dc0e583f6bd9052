// SPDX-License-Identifier: GPL-2.0-or-later
// CPU registers by name ($rip, $eax, $cs, $cr3).
#pragma once

#include "rhea/softmmu/machine.h"

#include <optional>
#include <string_view>

namespace rhea::hmp {

/// nullopt for an unknown name, or when there is no such CPU.
std::optional<u64> register_value(Machine& machine, unsigned cpu, std::string_view name);

}  // namespace rhea::hmp
