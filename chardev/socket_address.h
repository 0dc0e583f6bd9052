// SPDX-License-Identifier: GPL-2.0-or-later
// Where a socket chardev listens or connects to.
#pragma once

#include "rhea/qom/value.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/keyval.h"
#include "rhea/util/types.h"

#include <string>

namespace rhea::chardev {

struct SocketAddress {
  enum class Kind : u8 { Unix, Tcp, Descriptor };
  Kind kind{Kind::Unix};
  std::string path;        ///< Unix
  bool abstract{false};    ///< Unix: a name that is not in the file system
  std::string host, port;  ///< Tcp
  u16 last_port{0};        ///< Tcp: `to=`, the last port to try
  bool ipv4{true}, ipv6{true};
  int fd{-1};  ///< Descriptor: inherited

  /// Takes path, host, port, fd, … out of the options.
  static Result<SocketAddress> take(KeyValues& options);
  /// A listening socket. A file that is there under a Unix path is replaced.
  Result<FileDescriptor> listen() const;
  /// A non-blocking socket whose connection is made or under way.
  Result<FileDescriptor> connect() const;
  /// "unix:/tmp/x", "tcp:localhost:4444", "fd:3".
  std::string text() const;
};

/// What is at this end of a socket, as text(); and at the other ("" for Unix sockets).
std::string local_text(int fd);
std::string peer_text(int fd);

}  // namespace rhea::chardev
