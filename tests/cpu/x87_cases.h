// SPDX-License-Identifier: GPL-2.0-or-later
// Random x87 states and instructions: the short ways against the whole state on the host's FPU.
#pragma once

#include "rhea/util/types.h"

#include <map>
#include <string>
#include <vector>

namespace rhea::x86 {

struct X87Report {
  std::vector<std::string> differences;
  unsigned executed{};
};

/// How a row is executed: by our code for its arithmetic (compared with the host's FPU), by our
/// code for state without arithmetic, or by nothing but the host's own instruction.
enum class X87Way : u8 { Host, Control, Short };
/// By isa::rows() index.
std::map<unsigned, X87Way> x87_ways();

/// Every encoding that has a short way, `times` times, with all exceptions masked in most.
X87Report compare_x87_ways(u64 times, u64 seed);

}  // namespace rhea::x86
