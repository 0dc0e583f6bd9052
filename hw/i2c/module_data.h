// SPDX-License-Identifier: GPL-2.0-or-later
// What memory modules say of themselves.
#pragma once

#include "rhea/util/types.h"

#include <array>
#include <vector>

namespace rhea::hw {

/// The serial presence detect bytes of one module.
using ModuleData = std::array<u8, 256>;

/// The sizes of the modules that make up `ram` bytes, the largest first: powers of two, and as few
/// as can be; what does not fit into `sockets` of them is left out.
std::vector<u64> memory_modules(u64 ram, unsigned sockets);

/// Of a module of `size` bytes, a power of two from 4 MiB to 128 GiB, in socket `number` from 0:
/// SDRAM (JEDEC standard 21-C, annex E), or DDR2 (annex J) where SDRAM ends, which is at 1 GiB.
ModuleData module_data(u64 size, unsigned number);

}  // namespace rhea::hw
