// SPDX-License-Identifier: GPL-2.0-or-later
// The C++ heap of programs that test devices: filled with a pattern, fenced, counted. Sanitizers
// have means of their own; with them nothing here does anything.
#pragma once

#include "rhea/util/types.h"

#include <cstddef>

namespace rhea::test::guarded_heap {

/// Bytes of new blocks hold this; at first 0xa5. Two values show who reads what nobody wrote.
void fill_with(u8 pattern);
/// What is allocated now, by all threads; 0 with sanitizers.
u64 allocated_bytes();

/// While it lives, a larger block is the end of the program, in a line that says what happened.
class Limit {
 public:
  explicit Limit(std::size_t bytes);
  ~Limit();
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;
};

}  // namespace rhea::test::guarded_heap
