// SPDX-License-Identifier: GPL-2.0-or-later
// What firmware is handed by name, for those who look at the machine from outside.
#pragma once

#include "rhea/util/types.h"

#include <string>
#include <utility>
#include <vector>

namespace rhea {

/// What an fw_cfg device is besides.
class FwCfgFiles {
 public:
  virtual ~FwCfgFiles() = default;
  /// All names with their sizes in bytes, in the order in which they came.
  virtual std::vector<std::pair<std::string, u64>> files() const = 0;
};

}  // namespace rhea
