// SPDX-License-Identifier: GPL-2.0-or-later
// Block drivers by name: those that Rhea has, and QEMU's others.
#pragma once

#include "rhea/util/error.h"

#include <string>
#include <string_view>

namespace rhea::block {

/// For -blockdev's driver=.
Result<> check_node_driver(std::string_view driver);
/// For -drive's format=: raw, or the reason why not.
Result<> check_format(std::string_view format);
/// What "x" in the file name "x:…" is: nothing for an ordinary name, the error for a protocol.
Result<> check_protocol(std::string_view protocol);

}  // namespace rhea::block
