// SPDX-License-Identifier: GPL-2.0-or-later
// Random encodings of a row, for tests of the decoder and of what executes instructions.
#pragma once

#include "target/x86/isa/row.h"

#include <optional>
#include <random>
#include <vector>

namespace rhea::x86::isa {

using Random = std::mt19937_64;

struct GenerateMode {
  u8 code_bits{64};
  /// Segment overrides, 67, REP and LOCK where they are allowed.
  bool prefixes{true};
  bool amd{true};  ///< DecodeMode::amd
  /// Memory operands are this register alone, without displacement (any addressing if empty).
  std::optional<u8> base{};
  /// General registers that no operand uses, by bits; for operands that are named explicitly and
  /// for address registers of a `base`-less memory operand nothing is promised.
  u16 avoid{};
};

/// Appends a valid encoding. False: the row has none in this mode.
bool generate(const Row& row, Random& random, const GenerateMode& mode, std::vector<u8>& bytes);

}  // namespace rhea::x86::isa
