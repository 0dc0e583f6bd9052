// SPDX-License-Identifier: GPL-2.0-or-later
// Everything that a processor's page tables map, for those who look from outside.
#pragma once

#include "target/x86/cpu_state.h"

#include <functional>
#include <span>

namespace rhea::x86 {

/// A page or large page that is mapped.
struct MappedPage {
  u64 linear{};                           ///< canonical
  u64 size{};                             ///< bytes
  u64 entry{};                            ///< the last level's, as it stands in memory
  u64 physical{};                         ///< where it begins
  bool user{}, writable{}, no_execute{};  ///< with the rights of all levels

  bool large() const { return size > 4096; }
};

/// Reads physical memory; false: it cannot be read.
using ReadPhysical = std::function<bool(u64 address, std::span<u8> data)>;

/// Calls `visit` for every page in the order of linear addresses, until it returns false. Guests
/// can build tables without end (that lead to themselves): `most_tables` bounds how many are read.
/// False: not everything was visited. Without paging there is nothing to visit.
bool visit_mapped_pages(const CpuState& state, const ReadPhysical& read, u64 most_tables,
                        const std::function<bool(const MappedPage&)>& visit);

/// Whether paging is on.
bool paging_enabled(const CpuState& state);

}  // namespace rhea::x86
