// SPDX-License-Identifier: GPL-2.0-or-later
// What a dump is made of: the guest's memory and processors at one moment.
#pragma once

#include "rhea/softmmu/machine.h"
#include "target/x86/cpu_state.h"

#include <optional>
#include <vector>

namespace rhea::dump {

/// Memory that is one piece for the guest and on the host.
struct Piece {
  u64 physical{};
  u64 size{};
  const u8* host{};
};

/// Where a piece of memory is mapped: a program header of an ELF dump.
struct Mapping {
  u64 linear{};
  u64 physical{};
  u64 size{};
};

/// The part of physical memory that is asked for.
struct Filter {
  u64 begin{};
  u64 length{};
};

struct GuestImage {
  std::vector<Piece> pieces;  ///< by address
  std::vector<std::shared_ptr<RamBlock>> keep_alive;
  std::vector<Mapping> mappings;  ///< by linear address; without paging the physical one
  std::vector<x86::CpuState> cpus;
  /// What the guest's kernel left for whoever reads dumps: a whole ELF note of its own, or nothing.
  std::vector<u8> guest_note;

  /// Of all mappings.
  u64 bytes() const;
  /// Where a physical address that is in a piece lies.
  const u8* host(u64 physical) const;
  /// The first address behind all memory.
  u64 end() const { return pieces.empty() ? 0 : pieces.back().physical + pieces.back().size; }
  /// Where the guest's processors are in long mode.
  bool is_64bit() const;
};

/// Takes the processors' state; memory stays where it is. Main thread, the machine stopped. With
/// `paging` the mappings are what the processors' page tables map, if any has paging on.
Result<GuestImage> take_image(Machine& machine, bool paging, const std::optional<Filter>& filter);

}  // namespace rhea::dump
