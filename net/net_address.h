// SPDX-License-Identifier: GPL-2.0-or-later
// The addresses that back ends on sockets are given, and the sockets that they name.
#pragma once

#include "util/socket_address.h"

#include <netinet/in.h>

#include <optional>
#include <string>
#include <string_view>

namespace rhea::net {

/// "[HOST]:PORT" of IPv4, as -netdev socket writes it; no host: any.
Result<SocketAddress> parse_host_port(const std::string& text);

/// Takes "PREFIX.type=inet|unix|fd" and what belongs to it; nullopt when there is none of it.
Result<std::optional<SocketAddress>> take_address(KeyValues& options, const std::string& prefix);

/// Names are looked up meanwhile: as long as that takes while Rhea starts, half a second later on.
Result<FileDescriptor> listen_at(const SocketAddress& address);
/// The connection is made or under way.
Result<FileDescriptor> connect_with(const SocketAddress& address);
/// The first address of a host that datagrams can go to or come from.
Result<ResolvedAddress> datagram_address(const SocketAddress& address, bool passive);

/// A datagram socket bound to `local`, non-blocking.
Result<FileDescriptor> bind_datagram(const ResolvedAddress& local);
/// One that has joined the group, and hears what others of this host send to it.
Result<FileDescriptor> join_group(const ResolvedAddress& group,
                                  const std::optional<in_addr>& interface);
bool is_group(const ResolvedAddress& address);

/// A text that is the number of a descriptor, open or not.
Result<int> descriptor_number(const std::string& text);
/// A datagram socket's or stream socket's descriptor that somebody passed, from now on ours.
Result<FileDescriptor> adopt_socket(int fd);
bool is_datagram(int fd);

}  // namespace rhea::net
