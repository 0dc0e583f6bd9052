// SPDX-License-Identifier: GPL-2.0-or-later
// ACPI tables of the user's own: -acpitable.
#pragma once

#include "rhea/softmmu/machine.h"
#include "rhea/util/keyval.h"

#include <vector>

namespace rhea::hw {

/// Main thread; set before the board tells its firmware of the machine.
struct UserAcpiTables final : MachineService {
  explicit UserAcpiTables(Machine&) {}

  std::vector<std::vector<u8>> tables;  ///< whole ones, with length and checksum

  /// Errors name the parameter.
  Result<> add(KeyValues values);
};

}  // namespace rhea::hw
