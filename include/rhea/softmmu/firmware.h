// SPDX-License-Identifier: GPL-2.0-or-later
// Finding firmware files (SeaBIOS, VGA BIOS) that Debian's packages install.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/host_file.h"  // IWYU pragma: export: read_file

#include <string>
#include <string_view>

namespace rhea {

class Machine;

/// `name` is a path if it exists as one, else a file name looked for in -L directories, then in the
/// built-in ones.
Result<std::string> find_firmware(const Machine& machine, std::string_view name);

}  // namespace rhea
