// SPDX-License-Identifier: GPL-2.0-or-later
// One access to guest memory or ports, and how it went.
#pragma once

#include "rhea/util/types.h"

namespace rhea {

/// Who asks, and how: handlers that care look at it, all others ignore it.
struct MemAttrs {
  u16 requester_id{0};      ///< PCI bus/device/function of the master, 0 for CPUs
  bool secure : 1 {false};  ///< the CPU is in system management mode
  bool debug : 1 {
      false};  ///< the monitor or a debugger: no side effects where the device can avoid them
  bool user : 1 {false};
};

enum class [[nodiscard]] MemResult : u8 {
  Ok,
  Unassigned,  ///< nothing is mapped there; reads gave all ones, writes went nowhere
  Refused,     ///< wrong size, read-only, the device said no
  Reentrant,   ///< a device's DMA aimed at the registers of a device whose handler is running
};

/// What a handler gets: offset from the start of its region, 1, 2, 4 or 8 bytes, little-endian
/// value.
struct Access {
  u64 offset{};
  unsigned size{};
  u64 value{};  ///< in for writes, out for reads
  MemAttrs attrs{};
};

/// All ones in the low `size` bytes: what an unassigned read gives.
constexpr u64 all_ones(unsigned size) { return size >= 8 ? ~u64{0} : (u64{1} << (8 * size)) - 1; }

}  // namespace rhea
