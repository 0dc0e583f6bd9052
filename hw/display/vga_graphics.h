// SPDX-License-Identifier: GPL-2.0-or-later
// Drawing the VGA's graphics modes and the linear ones.
#pragma once

#include "hw/display/vga_screen.h"

#include <vector>

namespace rhea::hw {

/// The VGA's own modes have at most 256 KiB to show: changes are found by comparing with what was
/// drawn.
class PlaneRenderer {
 public:
  void draw(Console& console, const ScreenMode& mode, const Palette& palette,
            const ScreenMemory& memory, bool full);

 private:
  std::vector<u32> drawn_;  ///< the units of every line
};

/// Pages of video memory written since the last time; bit n is page n.
using DirtyPages = std::span<const u64>;

/// Linear modes may show all of video memory: changes come from the dirty log.
void draw_linear(Console& console, const ScreenMode& mode, const Palette& palette,
                 const ScreenMemory& memory, DirtyPages dirty, bool full);

}  // namespace rhea::hw
