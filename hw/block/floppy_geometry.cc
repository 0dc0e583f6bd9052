// SPDX-License-Identifier: GPL-2.0-or-later
// Diskette formats by size.
#include "hw/block/floppy_geometry.h"

namespace rhea::hw {
namespace {

using enum FloppyDriveType;
using enum FloppyRate;

// For each size the usual one first; formats with more tracks or sectors than the standard ones
// were made by copy programs and installers.
constexpr std::array kGeometries = {
    // 3.5", high density
    FloppyGeometry{Fd144, 18, 80, 2, Kbps500},
    FloppyGeometry{Fd144, 20, 80, 2, Kbps500},
    FloppyGeometry{Fd144, 21, 80, 2, Kbps500},
    FloppyGeometry{Fd144, 21, 82, 2, Kbps500},
    FloppyGeometry{Fd144, 21, 83, 2, Kbps500},
    FloppyGeometry{Fd144, 22, 80, 2, Kbps500},
    FloppyGeometry{Fd144, 23, 80, 2, Kbps500},
    FloppyGeometry{Fd144, 24, 80, 2, Kbps500},
    // 3.5", extra density
    FloppyGeometry{Fd288, 36, 80, 2, Mbps1},
    FloppyGeometry{Fd288, 39, 80, 2, Mbps1},
    FloppyGeometry{Fd288, 40, 80, 2, Mbps1},
    FloppyGeometry{Fd288, 44, 80, 2, Mbps1},
    FloppyGeometry{Fd288, 48, 80, 2, Mbps1},
    // 3.5", double density
    FloppyGeometry{Fd144, 9, 80, 2, Kbps250},
    FloppyGeometry{Fd144, 10, 80, 2, Kbps250},
    FloppyGeometry{Fd144, 10, 82, 2, Kbps250},
    FloppyGeometry{Fd144, 10, 83, 2, Kbps250},
    FloppyGeometry{Fd144, 13, 80, 2, Kbps250},
    FloppyGeometry{Fd144, 14, 80, 2, Kbps250},
    // 5.25", high density
    FloppyGeometry{Fd120, 15, 80, 2, Kbps500},
    FloppyGeometry{Fd120, 18, 80, 2, Kbps500},
    FloppyGeometry{Fd120, 18, 82, 2, Kbps500},
    FloppyGeometry{Fd120, 18, 83, 2, Kbps500},
    FloppyGeometry{Fd120, 20, 80, 2, Kbps500},
    // 5.25", double density, in a high density drive
    FloppyGeometry{Fd120, 9, 80, 2, Kbps300},
    FloppyGeometry{Fd120, 11, 80, 2, Kbps300},
    FloppyGeometry{Fd120, 9, 40, 2, Kbps300},
    FloppyGeometry{Fd120, 9, 40, 1, Kbps300},
    FloppyGeometry{Fd120, 10, 41, 2, Kbps300},
    FloppyGeometry{Fd120, 10, 42, 2, Kbps300},
    FloppyGeometry{Fd120, 8, 40, 2, Kbps250},
    FloppyGeometry{Fd120, 8, 40, 1, Kbps250},
    // 3.5", one side
    FloppyGeometry{Fd144, 9, 80, 1, Kbps250},
};

bool fits(const FloppyGeometry& geometry, FloppyDriveType drive) {
  return drive == Auto || geometry.drive == drive;
}

}  // namespace

FloppyGeometry floppy_geometry(u64 bytes, FloppyDriveType drive) {
  for (const FloppyGeometry& geometry : kGeometries)
    if (fits(geometry, drive) && u64{geometry.total()} * 512 == bytes) return geometry;
  const FloppyGeometry* best = nullptr;
  for (const FloppyGeometry& geometry : kGeometries) {
    // What is common: 1.44 MB, 2.88 MB and 1.2 MB.
    const bool common =
        geometry.cylinders == 80 && geometry.heads == 2 &&
        (geometry.sectors == 18 || geometry.sectors == 36 || geometry.sectors == 15);
    if (!fits(geometry, drive) || !common) continue;
    const bool holds = u64{geometry.total()} * 512 >= bytes;
    if (best == nullptr || (holds && u64{best->total()} * 512 < bytes)) best = &geometry;
  }
  return best != nullptr ? *best : FloppyGeometry{};
}

}  // namespace rhea::hw
