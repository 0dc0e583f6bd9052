// SPDX-License-Identifier: GPL-2.0-or-later
// What is wrong with a class's declaration and the compiler cannot see.
#pragma once

#include <string>

namespace rhea {

struct TypeInfo;

/// A sentence that begins with the type; empty when all is well. Its parent is known.
std::string problem_of(const TypeInfo& type);

}  // namespace rhea
