// SPDX-License-Identifier: GPL-2.0-or-later
// What a vfio-user server says its device is.
#pragma once

#include "hw/vfio/interrupts.h"
#include "rhea/hw/pci.h"

#include <array>
#include <vector>

namespace rhea::hw::vfio {

/// A region that is a base address register.
struct ServerBar {
  /// A part that the server lets us map.
  struct Area {
    u64 offset{};
    u64 size{};
  };
  u64 size{};  ///< 0: there is none
  BarKind kind{BarKind::Memory32};
  bool readable{};
  bool writable{};
  FileDescriptor memory{};  ///< of the areas
  u64 memory_offset{};      ///< of the region in it
  std::vector<Area> areas{};
  std::vector<FileDescriptor> event_files{};
  std::vector<IoEventFd> events{};  ///< writes that signal one of them, and do nothing else
};

struct Identity {
  PciIdentity pci;
  std::array<ServerBar, 6> bars;
  std::array<u8, PciDevice::kConfigSize> config{};
  Interrupts::Counts interrupts;
  bool can_reset{false};
};

/// Asks for all of it. Errors say what is nonsense.
Result<Identity> inquire_identity(Link& link, std::chrono::steady_clock::time_point limit);

}  // namespace rhea::hw::vfio
