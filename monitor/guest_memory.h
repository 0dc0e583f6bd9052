// SPDX-License-Identifier: GPL-2.0-or-later
// Guest memory as a person at a monitor reads it.
#pragma once

#include "rhea/softmmu/machine.h"

#include <span>

namespace rhea::monitor {

/// Reads at a linear address as CPU `cpu` sees it, for debugging: device registers are not read.
/// How many bytes could be read before the first that is not mapped.
std::size_t read_virtual(Machine& machine, unsigned cpu, u64 address, std::span<u8> data);
/// The same at a physical address.
std::size_t read_physical(Machine& machine, u64 address, std::span<u8> data);
/// The same; false when not all of it is memory.
bool read_memory(Machine& machine, u64 address, std::span<u8> data);

}  // namespace rhea::monitor
