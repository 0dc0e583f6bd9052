// SPDX-License-Identifier: GPL-2.0-or-later
// Which diskette an image of some size is.
#pragma once

#include "rhea/qom/value.h"

#include <array>
#include <string_view>

namespace rhea::hw {

/// Kinds of drives, under QEMU's names; Auto is decided by the diskette.
enum class FloppyDriveType : u8 { Fd144, Fd288, Fd120, None, Auto };

/// Data rates as the controller's registers select them.
enum class FloppyRate : u8 { Kbps500, Kbps300, Kbps250, Mbps1 };

struct FloppyGeometry {
  FloppyDriveType drive{FloppyDriveType::None};
  u8 sectors{}, cylinders{}, heads{};
  FloppyRate rate{};

  u32 total() const { return u32{sectors} * cylinders * heads; }
  /// Sector `sector` counts from 1.
  u32 lba(u32 cylinder, u32 head, u32 sector) const {
    return (cylinder * heads + head) * sectors + sector - 1;
  }
};

/// The diskette of `bytes` bytes for a drive of the kind (Auto: any). An unusual size gets the
/// smallest common diskette that holds it; the sectors beyond its end cannot be read.
FloppyGeometry floppy_geometry(u64 bytes, FloppyDriveType drive);

}  // namespace rhea::hw

namespace rhea {
template <>
struct EnumTraits<hw::FloppyDriveType> {
  static constexpr std::string_view kType = "FdcDriveType";
  static constexpr std::array<std::string_view, 5> kNames = {"144", "288", "120", "none", "auto"};
};
}  // namespace rhea
