// SPDX-License-Identifier: GPL-2.0-or-later
// Random instructions of given rows, executed by the translator and by the interpreter.
#pragma once

#include "target/x86/isa/row.h"
#include "tests/jit/row_guest.h"

#include <string>
#include <vector>

namespace rhea::test {

struct RowReport {
  std::vector<std::string> differences;  ///< the first few
  std::vector<std::string> untested;     ///< rows that have no encoding
  unsigned executed{};
  unsigned faulted{};
};

/// What of the processor's state varies beside registers and memory.
enum class RowGates : u8 {
  Open,    ///< everything is on, and exceptions are masked
  Random,  ///< CR0.TS and EM, CR4.OSFXSR and OSXSAVE, XCR0, masks of MXCSR and of x87
};

/// Each row `times`, among others of `rows`. Each case is executed several times: with an empty
/// TLB, and when it has been translated.
RowReport compare_rows(const std::vector<const x86::isa::Row*>& rows, unsigned times,
                       RowGates gates, RowMode mode, u64 seed);

}  // namespace rhea::test
