// SPDX-License-Identifier: GPL-2.0-or-later
// The releases that a "pc" board can be asked to look like: pc-i440fx-1.4 to pc-i440fx-7.2.
#pragma once

#include "rhea/softmmu/machine.h"

#include <compare>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rhea::hw {

/// A release of QEMU whose board a guest was installed on.
struct BoardVersion {
  u8 major{7}, minor{2};
  friend auto operator<=>(const BoardVersion&, const BoardVersion&) = default;
  /// "pc-i440fx-6.2".
  std::string name() const { return fmt::format("pc-i440fx-{}.{}", major, minor); }

  bool deprecated() const { return *this < BoardVersion{2, 0}; }
  /// -smp makes sockets of what is left open, not cores.
  bool prefers_sockets() const { return *this < BoardVersion{6, 2}; }
  /// -numa node,mem= divides memory; later boards want a back end for each node.
  bool takes_numa_mem() const { return *this < BoardVersion{5, 1}; }
  /// RAM above 4 GiB begins with a whole GiB.
  bool aligns_to_gigabytes() const { return *this >= BoardVersion{2, 0}; }
  /// The board brings ACPI tables; before, firmware did.
  bool has_acpi() const { return *this >= BoardVersion{1, 7}; }
  /// The board brings SMBIOS structures; before, firmware did.
  bool has_usual_smbios() const { return *this >= BoardVersion{2, 1}; }
  /// The UUID's numbers are least significant byte first, as SMBIOS has it.
  bool swaps_uuid() const { return *this >= BoardVersion{2, 2}; }
};

/// Newest first.
std::span<const BoardVersion> board_versions();
/// nullopt for names of other boards.
std::optional<BoardVersion> find_board_version(std::string_view name);
/// Gives properties of devices the defaults they had in that release; -global and the user's own
/// values come after them.
void apply_compatibility(Machine& machine, BoardVersion version);

}  // namespace rhea::hw
