// SPDX-License-Identifier: GPL-2.0-or-later
// What -drive and its short forms say.
#pragma once

#include "rhea/block/block_backend.h"

#include <array>
#include <string>

namespace rhea::block {

/// One drive before it is made. Where it sits: by bus and unit, or by index, or the first free
/// place.
struct DriveOptions {
  ImageOptions image;  ///< without a file name: no medium
  DriveInterface interface{DriveInterface::Ide};
  std::optional<unsigned> bus, unit, index;
  bool cdrom{false};
  std::string id;
  std::string serial;
  ErrorPolicy on_errors;
};

struct InterfaceName {
  std::string_view name;
  DriveInterface interface;
  unsigned units;  ///< on one bus; 0: one bus without a limit
};

inline constexpr std::array kInterfaces = {
    InterfaceName{"none", DriveInterface::None, 0},
    InterfaceName{"ide", DriveInterface::Ide, 2},
    InterfaceName{"floppy", DriveInterface::Floppy, 0},
    InterfaceName{"virtio", DriveInterface::Virtio, 0},
    InterfaceName{"scsi", DriveInterface::Scsi, 7},
    InterfaceName{"pflash", DriveInterface::Pflash, 0},
};

Result<DriveOptions> parse_drive(std::string_view text);
/// Opens the image and adds the drive to the machine.
Result<BlockBackend*> add_drive(Machine& machine, DriveOptions options);

}  // namespace rhea::block
