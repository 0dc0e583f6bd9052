// SPDX-License-Identifier: GPL-2.0-or-later
// The ATA commands that move or check sectors.
#pragma once

#include "hw/ide/ata_disk.h"

namespace rhea::hw {

struct AtaDisk::SectorCommand {
  u8 code;
  AtaOp op;
  bool lba48{false};
  bool multiple{false};      ///< DRQ blocks of as many sectors as SET MULTIPLE MODE said
  bool reaches_disk{false};  ///< "forced unit access"
};

}  // namespace rhea::hw
