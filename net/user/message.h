// SPDX-License-Identifier: GPL-2.0-or-later
// What Rhea and the process of a user network say to each other, by messages
// (util/message_socket.h).
//
// On the control socket Rhea speaks: {"configure": …} once, {"forward": …} with the socket that
// listens, {"unforward": …}, {"running": bool}, and {"info": N}, which alone is answered:
// {"info": N, "text": …}. On the files socket the process asks, {"ask": N, "open": "resolver"},
// {"ask": N, "open": "tftp", "name": …} or {"ask": N, "connect": I}, and waits for {"ask": N}
// with the descriptor, or {"ask": N, "errno": E}.
#pragma once

#include "util/message_socket.h"

namespace rhea::net::user {

/// The descriptors that the process is started with.
enum Inherited : int { kFrames = 3, kControl = 4, kFiles = 5 };

/// How a guestfwd's target is called where libslirp wants a socket's path: this and its index.
inline constexpr const char* kTargetPath = "guestfwd/";
/// Where libslirp believes the TFTP folder to be.
inline constexpr const char* kTftpPath = "/tftp";

}  // namespace rhea::net::user
