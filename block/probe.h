// SPDX-License-Identifier: GPL-2.0-or-later
// Image formats by the first bytes of a file.
#pragma once

#include "rhea/util/types.h"

#include <span>
#include <string_view>

namespace rhea::block {

/// How many bytes from the start of a file probing looks at.
inline constexpr u64 kProbeBytes = 512;

/// The format whose signature `head` begins with, or "raw". Never looks at anything but these
/// bytes.
std::string_view probe_format(std::span<const u8> head);

}  // namespace rhea::block
