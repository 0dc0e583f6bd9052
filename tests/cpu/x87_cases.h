// SPDX-License-Identifier: GPL-2.0-or-later
// Random x87 states and instructions: the short ways against the whole state on the host's FPU.
#pragma once

#include "rhea/util/types.h"

#include <string>
#include <vector>

namespace rhea::x86 {

struct X87Report {
  std::vector<std::string> differences;
  unsigned executed{};
};

/// Every encoding that has a short way, `times` times, with all exceptions masked in most.
X87Report compare_x87_ways(unsigned times, u64 seed);

}  // namespace rhea::x86
