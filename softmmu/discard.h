// SPDX-License-Identifier: GPL-2.0-or-later
// Guest memory that the guest does not need, given back to the host.
#pragma once

#include "rhea/softmmu/address_space.h"

namespace rhea {

/// Gives the whole pages in [address, address + length) back, as far as they are RAM that `space`
/// shows for writing. The guest may use them again at any time: they hold zeroes then, or, of a
/// file that is not shared, what that holds. Returns how many bytes those were; an error where the
/// host refuses. Thread-safe; takes time for as much as was resident.
Result<u64> discard_memory(const AddressSpace& space, u64 address, u64 length);

}  // namespace rhea
