// SPDX-License-Identifier: GPL-2.0-or-later
// Integer expressions as people type them.
#pragma once

#include "monitor/hmp/arguments.h"

namespace rhea::hmp {

/// Evaluates the expression at the start of `text` and takes it off. Arithmetic is modulo 2^64,
/// division signed.
Result<u64> take_expression(std::string_view& text, const RegisterLookup& registers);

}  // namespace rhea::hmp
