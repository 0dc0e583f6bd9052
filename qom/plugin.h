// SPDX-License-Identifier: GPL-2.0-or-later
// Plug-ins: shared objects with device types, built outside the tree.
#pragma once

#include "rhea/qom/registry.h"

#include <string>
#include <string_view>
#include <vector>

namespace rhea {

/// The file that `name` means: itself if it has a slash or is there, else the first of that name in
/// the folders of $RHEA_DEVICE_PLUGIN_PATH (separated by colons) and of this installation.
std::string find_plugin(std::string_view name);

/// Reads the file, checks what it was built against, and only then loads it and adds its types;
/// those that the same file added before are replaced. Its code runs: whoever wants to be sure that
/// it does no harm tries it in another process first. What is loaded stays loaded. On the main
/// thread. Errors begin with the file's name.
Result<std::vector<const TypeInfo*>> load_plugin(const std::string& path);

/// The same for one that need not have types (tests of a device).
Result<> load_extension(const std::string& path);

}  // namespace rhea
