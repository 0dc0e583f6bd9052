// SPDX-License-Identifier: GPL-2.0-or-later
// The boundary of translated code, read off the emitted instructions: nothing that the guest
// chooses becomes a host address but by way of a TLB entry that was compared.
//
// Every way through a block's host code is followed with what each register may hold. An access is
// allowed to the state block, to a TLB or jump-table entry that was found by a masked index, and to
// guest memory by an entry's addend after the comparison with the entry's page has come out equal;
// a store only by an entry of the table to write. Addresses are followed as sums, so that all bytes
// of each access are on the page that has been compared: between the address that the entry was
// found by and the one whose page was compared, or as far as a comparison of an offset in the page
// says. Repeated elements of code of less than 64 bits are excepted; BlockFuzz sees those.
#pragma once

#include "rhea/util/types.h"

#include <span>
#include <string>

namespace rhea::x86 {
struct Cpu;
}  // namespace rhea::x86

namespace rhea::test {

struct EmittedBlock {
  std::span<const u8> code;    ///< the whole buffer that the block lies in
  std::size_t begin{}, end{};  ///< of the block's instructions, in `code`
  std::size_t entry{};
  bool long_mode{true};
};

/// What the code does that it must not, with the instruction; empty: nothing.
std::string boundary_violation(const EmittedBlock& block, const x86::Cpu& cpu);

}  // namespace rhea::test
