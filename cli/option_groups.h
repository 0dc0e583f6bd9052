// SPDX-License-Identifier: GPL-2.0-or-later
// The order in which --help and the manual page show the options: QEMU's groups.
#pragma once

#include "rhea/util/option.h"

#include <string_view>
#include <vector>

namespace rhea::cli {

struct OptionGroup {
  std::string_view title;
  std::vector<const CommandLineOption*> options;
};

/// Every registered option is in one of them, those that no group names in the last.
std::vector<OptionGroup> option_groups();

}  // namespace rhea::cli
