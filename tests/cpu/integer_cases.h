// SPDX-License-Identifier: GPL-2.0-or-later
// The interpreter's integer instructions against the host's own, form by form.
#pragma once

#include "target/x86/isa/row.h"
#include "tests/cpu/native_layout.h"

#include <string>
#include <vector>

namespace rhea::x86 {

struct IntegerReport {
  u64 cases{};       ///< compared
  u64 faults{};      ///< of these, ended in an exception
  u64 strayed{};     ///< not compared: would have touched memory that is the test's own
  unsigned forms{};  ///< (row, operand size, register or memory)
  std::vector<std::string> differences;
  std::vector<std::string> thin;  ///< forms with fewer than half the cases that were asked for
};

bool compares_integer_row(const isa::Row& row, NativeMode mode);

/// `cases` of each form. Must run in a process of its own (NativeRun).
IntegerReport compare_integer_rows(NativeMode mode, u64 cases, u64 seed);

}  // namespace rhea::x86
