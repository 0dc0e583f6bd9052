// SPDX-License-Identifier: GPL-2.0-or-later
// Which instructions a guest executes, and how they are translated.
#pragma once

#include "rhea/util/types.h"

#include <atomic>
#include <string>
#include <vector>

namespace rhea::jit {

struct Block;

/// How often each row of the instruction table was executed, about, and how often by its function.
/// Written by one thread, read by any.
class RowCounts {
 public:
  RowCounts();
  /// The first instructions of a block, so many times.
  void add(const Block& block, std::size_t executed, u64 times);
  void add(const RowCounts& other);
  /// How many rows of the table are emitted, re-encoded and called, the same of what was executed,
  /// and of each mnemonic that was, by its share.
  std::string describe() const;

 private:
  struct Count {
    std::atomic<u64> all{0}, called{0};
  };
  std::vector<Count> rows_;
};

}  // namespace rhea::jit
