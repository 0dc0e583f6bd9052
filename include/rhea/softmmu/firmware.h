// SPDX-License-Identifier: GPL-2.0-or-later
// Finding firmware files (SeaBIOS, VGA BIOS) that Debian's packages install.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <string>
#include <string_view>
#include <vector>

namespace rhea {

class Machine;

/// `name` is a path if it exists as one, else a file name looked for in -L directories, then in the
/// built-in ones.
Result<std::string> find_firmware(const Machine& machine, std::string_view name);
/// Whole file, at most `limit` bytes.
Result<std::vector<u8>> read_file(const std::string& path, u64 limit);

}  // namespace rhea
