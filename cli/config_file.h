// SPDX-License-Identifier: GPL-2.0-or-later
// -readconfig: options from a file, in the groups that QEMU has for them.
//
//   [drive "disk"]
//     file = "a.img"
//     if = "none"
// is -drive id=disk,file=a.img,if=none.
#pragma once

#include "rhea/util/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace rhea::cli {

/// An option as the command line would have it.
struct ConfigOption {
  std::string name;
  std::string argument;
  unsigned line{};  ///< of its group's heading
};

/// Errors name the line.
Result<std::vector<ConfigOption>> parse_config(std::string_view text);

}  // namespace rhea::cli
