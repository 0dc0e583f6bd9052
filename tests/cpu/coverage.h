// SPDX-License-Identifier: GPL-2.0-or-later
// Which rows of the instruction table are compared with the host, and why others are not.
#pragma once

#include "target/x86/isa/row.h"

#include <string>

namespace rhea::x86 {

/// Why no comparison with the host has the row; null: one should.
const char* reason_not_compared(const isa::Row& row);
/// The host has the feature that the row needs, if any.
bool host_executes(const isa::Row& row);

struct RowCoverage {
  std::string compared;  ///< the comparisons that have it; empty: none
  std::string reason;    ///< why none has it; empty: unknown
};
RowCoverage coverage_of(unsigned row);

}  // namespace rhea::x86
