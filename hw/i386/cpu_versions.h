// SPDX-License-Identifier: GPL-2.0-or-later
// What a board's release has of processor models that later ones changed.
#pragma once

#include "hw/i386/board_versions.h"
#include "target/x86/models.h"

namespace rhea::hw {

/// Later entries count over earlier ones.
std::vector<x86::ModelDefault> model_defaults(BoardVersion version);

}  // namespace rhea::hw
