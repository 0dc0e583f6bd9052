// SPDX-License-Identifier: GPL-2.0-or-later
// Short names that QEMU's users give devices by.
#pragma once

#include <string_view>

namespace rhea {

/// The type that `name` stands for: itself, unless it is one of those.
std::string_view device_type_name(std::string_view name);
/// The short name of a type, or nothing.
std::string_view device_alias(std::string_view type);

}  // namespace rhea
