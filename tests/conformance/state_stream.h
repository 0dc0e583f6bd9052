// SPDX-License-Identifier: GPL-2.0-or-later
// Saved states with other values and a right checksum.
#pragma once

#include "rhea/qom/object.h"
#include "rhea/qom/schema.h"

#include <vector>

namespace rhea::test {

/// `stream`, which save_object made of `object`, once for each way to spoil each of its fields: all
/// ones, nothing, one bit, one byte, anything. Names and lengths stay.
std::vector<std::vector<u8>> spoiled(std::vector<u8> stream, const Object& object);

}  // namespace rhea::test
