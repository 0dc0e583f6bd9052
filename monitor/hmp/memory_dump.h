// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers in the formats of the memory commands.
#pragma once

#include "monitor/hmp/arguments.h"

#include <span>
#include <string>

namespace rhea::hmp {

/// Rows of items, each led by its address.
std::string dump_memory(std::span<const u8> data, u64 address, MemoryFormat format);
/// One number, for print.
std::string format_number(u64 value, char letter);

}  // namespace rhea::hmp
