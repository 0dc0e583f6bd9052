// SPDX-License-Identifier: GPL-2.0-or-later
// -dfilter: which guest addresses the log of code (-d in_asm, exec, cpu) is about.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <string_view>

namespace rhea {

/// Comma-separated ranges: "first..last", "start+length", "end-length". Replaces those before.
/// Set while the program starts, before any guest code runs.
Result<> set_log_filter(std::string_view ranges);
/// True for all addresses while there is no filter.
bool log_filter_takes(u64 address);

}  // namespace rhea
