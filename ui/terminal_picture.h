// SPDX-License-Identifier: GPL-2.0-or-later
// A guest's screen as a terminal can show it: its text, or its picture in half-block characters.
#pragma once

#include "rhea/ui/console.h"
#include "ui/terminal_grid.h"

namespace rhea::ui {

/// The PC's text in the upper left corner; where it does not fit, the part around the cursor.
TerminalGrid text_picture(const TextScreen& screen, int columns, int rows);
/// The surface scaled down to fit, two pixels in each cell.
TerminalGrid graphics_picture(pixman_image_t* surface, int columns, int rows);

}  // namespace rhea::ui
