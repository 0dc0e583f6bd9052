// SPDX-License-Identifier: GPL-2.0-or-later
// Where a socket listens or connects to.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/keyval.h"
#include "rhea/util/types.h"

#include <sys/socket.h>

#include <optional>
#include <string>
#include <vector>

namespace rhea {

/// One address that a host's name stands for.
struct ResolvedAddress {
  sockaddr_storage name{};
  socklen_t length{};

  /// A non-blocking stream socket whose connection is made or under way.
  Result<FileDescriptor> connect() const;
};

struct SocketAddress {
  enum class Kind : u8 { Unix, Tcp, Descriptor };
  Kind kind{Kind::Unix};
  std::string path;        ///< Unix
  bool abstract{false};    ///< Unix: a name that is not in the file system
  bool tight{true};        ///< Unix: an abstract name is as long as it is written
  std::string host, port;  ///< Tcp
  u16 last_port{0};        ///< Tcp: `to=`, the last port to try
  std::optional<bool> ipv4, ipv6;
  int fd{-1};  ///< Descriptor: inherited

  /// Takes path, host, port, fd, … out of the options.
  static Result<SocketAddress> take(KeyValues& options);
  /// A listening socket. What is there under a Unix path goes as by remove_old_socket(). Unless
  /// it may wait, no name server is asked.
  Result<FileDescriptor> listen(bool may_wait) const;
  /// Unix and Descriptor: a non-blocking connected socket.
  Result<FileDescriptor> connect() const;
  /// Unix.
  Result<ResolvedAddress> unix_name() const;
  /// Tcp: may wait for a name server; from any thread.
  Result<std::vector<ResolvedAddress>> resolve() const;
  Result<std::vector<ResolvedAddress>> resolve_datagram(bool passive, bool may_wait) const;
  /// "unix:/tmp/x", "tcp:localhost:4444", "fd:3".
  std::string text() const;
};

/// Makes room for a Unix socket: what a program left there that is no more goes, a socket or an
/// empty file; anything else stays, and is an error.
Result<> remove_old_socket(const std::string& path);

/// Takes ipv4= and ipv6= out of the options.
Result<> take_families(KeyValues& options, SocketAddress& address);

/// What is at this end of a socket, as text(); and at the other ("" for Unix sockets).
std::string local_text(int fd);
std::string peer_text(int fd);

}  // namespace rhea
