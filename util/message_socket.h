// SPDX-License-Identifier: GPL-2.0-or-later
// How Rhea and the processes that it keeps beside itself speak: JSON objects, one a message, on
// sequenced-packet sockets, each with at most one descriptor.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/types.h"
#include "util/json.h"

#include <optional>
#include <string>

namespace rhea {

inline constexpr std::size_t kLongestMessage = 128 * 1024;

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

}  // namespace rhea
