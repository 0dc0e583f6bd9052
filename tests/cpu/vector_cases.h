// SPDX-License-Identifier: GPL-2.0-or-later
// Random instructions of every vector row, executed by the interpreter and by the host itself.
#pragma once

#include "target/x86/isa/row.h"

#include <string>
#include <vector>

namespace rhea::x86 {

enum class SimdExceptions : u8 { Masked, Unmasked };

struct VectorReport {
  std::vector<std::string> differences;  ///< what the interpreter did otherwise than the host
  std::vector<std::string> untested;     ///< rows of which nothing could be executed
  unsigned executed{};
  unsigned exceptions{};  ///< of these raised #XM
};

bool compares_vector_row(const isa::Row& row);

/// Each row in each form (register or memory, VEX.L and W) `times` times, with random registers,
/// operands (many NaNs, denormals, infinities), rounding modes and immediates.
VectorReport compare_vector_rows(unsigned times, SimdExceptions exceptions, u64 seed);

}  // namespace rhea::x86
