// SPDX-License-Identifier: GPL-2.0-or-later
// A register-wise write, and how it went.
#pragma once

#include "rhea/softmmu/address_space.h"

namespace rhea {

inline MemResult store_result(const AddressSpace& space, u64 address, u64 value, unsigned size) {
  MemResult result{};
  space.store(address, value, size, {}, &result);
  return result;
}

}  // namespace rhea
