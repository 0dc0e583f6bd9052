// SPDX-License-Identifier: GPL-2.0-or-later
// How much a test is to do, from the environment.
#pragma once

#include "rhea/util/types.h"

#include <cstdlib>

namespace rhea::test {

/// A number in decimal, hexadecimal (0x) or octal (0); `usual` without the variable.
inline u64 from_environment(const char* name, u64 usual) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any
  return text != nullptr ? std::strtoull(text, nullptr, 0) : usual;
}

}  // namespace rhea::test
