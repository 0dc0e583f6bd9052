// SPDX-License-Identifier: GPL-2.0-or-later
// The description of a monitor that a guest reads.
#pragma once

#include "rhea/util/types.h"

#include <array>

namespace rhea::hw {

struct EdidInfo {
  u32 width{}, height{};          ///< preferred; 0: 1280 by 800
  u32 max_width{}, max_height{};  ///< of the other modes named; 0: no limit
};

/// A base block (VESA Enhanced EDID Standard, 1.4).
std::array<u8, 128> make_edid(EdidInfo info);

}  // namespace rhea::hw
