// SPDX-License-Identifier: GPL-2.0-or-later
// Defaults of device properties that a board changes for guests of an older one.
#pragma once

#include "rhea/softmmu/machine.h"

#include <string>
#include <vector>

namespace rhea {

/// Applied to every object that is made, before -global; main thread, filled before the board is
/// built.
struct CompatProperties final : MachineService {
  explicit CompatProperties(Machine&) {}

  struct Row {
    std::string type, property, value;
  };
  std::vector<Row> rows;
};

}  // namespace rhea
