// SPDX-License-Identifier: GPL-2.0-or-later
// What Rhea and the process of a VNC client say to each other, by messages (util/message_socket.h).
//
// Rhea: {"configure": {"name": …, "width": …, "height": …, "passwords": […]?}} once, then
// {"size": [width, height]}, both with the descriptor of the picture (x8r8g8b8, no padding);
// {"dirty": [x, y, width, height]}; {"absolute": bool}, how the pointer is taken.
//
// The process: {"ready": {"shared": bool}} once, when the client is let in; {"key": [keysym,
// down]},
// {"scan": [XT number, down]} (of QEMU's extension), {"pointer": [x, y, buttons, moves]} with RFB's
// eight buttons; if it moves, 0x7fff is where it was.
#pragma once

#include "util/message_socket.h"

namespace rhea::ui::vnc {

/// The descriptors that the process is started with.
enum Inherited : int { kClient = 3, kControl = 4 };

/// What a screen's side may be.
inline constexpr int kMostSide = 16384;

}  // namespace rhea::ui::vnc
