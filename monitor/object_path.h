// SPDX-License-Identifier: GPL-2.0-or-later
// Objects by absolute or partial path.
#pragma once

#include "rhea/softmmu/machine.h"

#include <string_view>

namespace rhea::monitor {

/// "/machine/peripheral/edu0", or the end of a path that only one object has ("edu0").
Result<Object*> find_object(Machine& machine, std::string_view path);
/// "/" for the root.
std::string path_of(const Object& object);
/// A device by its id, or by its path when `name` starts with a slash; devices behind -device and
/// device_add only.
Result<Device*> find_peripheral(Machine& machine, std::string_view name);

}  // namespace rhea::monitor
