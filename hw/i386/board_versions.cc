// SPDX-License-Identifier: GPL-2.0-or-later
// What guests see of a board's release: defaults of properties that have changed since.
#include "hw/i386/board_versions.h"

#include "softmmu/compat_properties.h"

#include <algorithm>
#include <array>

namespace rhea::hw {
namespace {

constexpr std::array kVersions = {
    BoardVersion{7, 2},  BoardVersion{7, 1}, BoardVersion{7, 0},  BoardVersion{6, 2},
    BoardVersion{6, 1},  BoardVersion{6, 0}, BoardVersion{5, 2},  BoardVersion{5, 1},
    BoardVersion{5, 0},  BoardVersion{4, 2}, BoardVersion{4, 1},  BoardVersion{4, 0},
    BoardVersion{3, 1},  BoardVersion{3, 0}, BoardVersion{2, 12}, BoardVersion{2, 11},
    BoardVersion{2, 10}, BoardVersion{2, 9}, BoardVersion{2, 8},  BoardVersion{2, 7},
    BoardVersion{2, 6},  BoardVersion{2, 5}, BoardVersion{2, 4},  BoardVersion{2, 3},
    BoardVersion{2, 2},  BoardVersion{2, 1}, BoardVersion{2, 0},  BoardVersion{1, 7},
    BoardVersion{1, 6},  BoardVersion{1, 5}, BoardVersion{1, 4},
};

struct Change {
  BoardVersion last;  ///< the newest release that has it
  std::string_view type, property, value;
};

// Seen in QEMU 7.2's boards, for the devices that Rhea has.
constexpr std::array kChanges = {
    Change{{4, 0}, "VGA", "edid", "off"},
    Change{{2, 7}, "ioapic", "version", "0x11"},
    Change{{2, 5}, "isa-fdc", "fallback", "144"},
    Change{{2, 4}, "fw_cfg_io", "dma_enabled", "off"},
    Change{{2, 1}, "VGA", "qemu-extended-regs", "off"},
};

}  // namespace

std::span<const BoardVersion> board_versions() { return kVersions; }

std::optional<BoardVersion> find_board_version(std::string_view name) {
  const auto* const found =
      std::ranges::find_if(kVersions, [name](const BoardVersion& v) { return v.name() == name; });
  return found == kVersions.end() ? std::nullopt : std::optional(*found);
}

void apply_compatibility(Machine& machine, BoardVersion version) {
  auto& compat = machine.service<CompatProperties>();
  for (const Change& change : kChanges)
    if (version <= change.last)
      compat.rows.push_back({.type = std::string(change.type),
                             .property = std::string(change.property),
                             .value = std::string(change.value)});
  // Later boards stopped telling guests of each new release.
  if (version < BoardVersion{2, 5})
    for (const char* const type : {"ide-hd", "ide-cd"})
      compat.rows.push_back({.type = type,
                             .property = "ver",
                             .value = fmt::format("{}.{}.0", version.major, version.minor)});
}

}  // namespace rhea::hw
