// SPDX-License-Identifier: GPL-2.0-or-later
// What Rhea and the process of a user network say to each other: JSON objects, one a message, on
// sequenced-packet sockets, each with at most one descriptor.
//
// On the control socket Rhea speaks: {"configure": …} once, {"forward": …} with the socket that
// listens, {"unforward": …}, {"running": bool}, and {"info": N}, which alone is answered:
// {"info": N, "text": …}. On the files socket the process asks, {"ask": N, "open": "resolver"},
// {"ask": N, "open": "tftp", "name": …} or {"ask": N, "connect": I}, and waits for {"ask": N}
// with the descriptor, or {"ask": N, "errno": E}.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/types.h"
#include "util/json.h"

#include <optional>
#include <string>

namespace rhea::net::user {

inline constexpr std::size_t kLongestMessage = 128 * 1024;

/// The descriptors that the process is started with.
enum Inherited : int { kFrames = 3, kControl = 4, kFiles = 5 };

/// How a guestfwd's target is called where libslirp wants a socket's path: this and its index.
inline constexpr const char* kTargetPath = "guestfwd/";
/// Where libslirp believes the TFTP folder to be.
inline constexpr const char* kTftpPath = "/tftp";

struct Message {
  Json body;
  FileDescriptor descriptor;
};

/// A number or a text of what was received; what is none, or is not there, is 0 or "". Nothing that
/// the process says is trusted to be of the right kind.
u64 number_in(const Json& object, const char* key);
std::string text_in(const Json& object, const char* key);

/// Never waits: who does not read in time misses it, which is an error.
Result<> send_message(int socket, const Json& body, int descriptor = -1);
/// Waits for one at most so long (negative: for ever). nullopt: none came. An error: the other side
/// is gone, or speaks nonsense.
Result<std::optional<Message>> receive_message(int socket, int wait_ms);

}  // namespace rhea::net::user
