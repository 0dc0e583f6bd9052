// SPDX-License-Identifier: GPL-2.0-or-later
// Host code of chosen instructions and blocks as text: what tests/golden/*.txt hold.
//
// A file has lines of these kinds:
//   # ...                      a comment
//   mode 64                    what the code below means: 64, 32, 32-segmented or 16
//   host avx2                  what the host has: avx2 (all that emitters may use), or baseline
//   > 48 01 d8                 the bytes of a block; scripts/update-golden writes what follows
// Everything else is output: each of the guest's instructions, and indented its host code. Members
// of Cpu have names instead of displacements, jumps labels, and those to the guest's own code say
// where to. Left out is what blocks have in common: the look around at the entry, the ways out;
// of single instructions also the look whether vectors or x87 are in the host's registers.
#pragma once

#include "target/x86/translate/runtime.h"
#include "tests/support/cpu_bench.h"

#include <string>
#include <string_view>
#include <vector>

namespace rhea::test {

class Golden {
 public:
  Golden();
  /// The file's text as it ought to be.
  std::string remade(std::string_view text);

 private:
  void set_mode(std::string_view name);
  void set_host(std::string_view name);
  std::string block(std::span<const u8> bytes);

  std::vector<u8> room_;
  CpuBench bench_;
  x86::translating::StateLayout layout_;
  x86::translating::Runtime runtime_;
  std::size_t shared_{};  ///< bytes of the room that all blocks share
  x86::translating::BlockMode mode_;
  x86::translating::HostCpu host_;
};

}  // namespace rhea::test
