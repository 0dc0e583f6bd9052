// SPDX-License-Identifier: GPL-2.0-or-later
// Looks at the file of a plug-in without running any of it.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <span>
#include <string>
#include <string_view>

namespace rhea {

/// What this program and the plug-ins built for it have in common: version, and a digest of the
/// public headers.
std::string_view build_identity();

/// The identity in a plug-in's note. Anything that is no whole shared object for this host, or has
/// no such note, is an error in one line.
Result<std::string> identity_of_plugin(std::span<const u8> image);

}  // namespace rhea
