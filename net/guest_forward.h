// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses in a user network that lead to something of the host's (guestfwd=).
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/types.h"
#include "util/child_process.h"

#include <netinet/in.h>

#include <list>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::net {

/// One of them. Each connection of the guest's gets one of its own to the target: a TCP or Unix
/// socket, or a program's standard streams.
struct GuestForward {
  enum class Kind : u8 { Tcp, Unix, Command };
  in_addr address{};  ///< 0.0.0.0: the fourth of the network
  u16 port{0};
  Kind kind{Kind::Tcp};
  std::vector<std::string> target;  ///< host and port, path, or the program's words

  /// "[tcp]:[address]:port-tcp:HOST:PORT", "…-unix:PATH" or "…-cmd:PROGRAM ARGUMENTS".
  static Result<GuestForward> parse(std::string_view rule);
};

/// Makes the connections. One thread.
class GuestForwardTargets {
 public:
  explicit GuestForwardTargets(std::vector<GuestForward> forwards)
      : forwards_(std::move(forwards)) {}

  /// A stream to the target; a connection may be under way still. Programs that run are bounded.
  Result<FileDescriptor> connect(std::size_t index);

 private:
  static constexpr std::size_t kMostPrograms = 64;
  Result<FileDescriptor> start(const std::vector<std::string>& words);

  std::vector<GuestForward> forwards_;
  std::list<ChildProcess> programs_;
};

}  // namespace rhea::net
