// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/packet_netdev.h"

#include "net/backend.h"
#include "rhea/qom/registry.h"

#include <arpa/inet.h>

namespace rhea::net {
namespace {

std::string place(const SocketAddress& address) {
  return address.kind == SocketAddress::Kind::Unix ? address.path
                                                   : address.host + ":" + address.port;
}

Result<std::optional<in_addr>> interface_of(const std::optional<SocketAddress>& local) {
  if (!local) return std::nullopt;
  in_addr address{};
  if (local->kind != SocketAddress::Kind::Tcp ||
      ::inet_pton(AF_INET, local->host.c_str(), &address) != 1)
    return fail("'local' of a multicast group is the IPv4 address of an interface");
  return address;
}

Result<std::unique_ptr<Netdev>> create_on_descriptor(int fd) {
  FileDescriptor socket = TRY(adopt_socket(fd));
  if (!is_datagram(socket.get())) {
    static_cast<void>(socket.release());
    return fail("File descriptor '{}' is not a datagram socket", fd);
  }
  return PacketNetdev::make("dgram", std::move(socket), fmt::format("fd={}", fd));
}

Result<std::unique_ptr<Netdev>> create_dgram(Machine&, const std::string&, KeyValues& options) {
  const auto local = TRY(take_address(options, "local"));
  const auto remote = TRY(take_address(options, "remote"));
  TRY(options.expect_empty("dgram"));
  using Kind = SocketAddress::Kind;
  if (remote && remote->kind == Kind::Tcp && is_group(TRY(datagram_address(*remote, false)))) {
    if (local && local->kind == Kind::Descriptor) {
      auto socket = TRY(adopt_socket(local->fd));
      const ResolvedAddress group = TRY(datagram_address(*remote, false));
      return PacketNetdev::make("dgram", std::move(socket), "mcast=" + place(*remote), group);
    }
    const auto interface = TRY(interface_of(local));
    return create_group("dgram", *remote, interface);
  }
  if (!local) return fail("dgram requires local= parameter");
  if (local->kind == Kind::Descriptor) {
    if (remote) return fail("type=fd allows no remote parameter");
    return create_on_descriptor(local->fd);
  }
  if (!remote) return fail("type=inet or type=unix requires remote parameter");
  if (remote->kind != local->kind) return fail("remote and local types must be the same");
  return create_packets("dgram", *local, *remote);
}

const RegisterBackend dgram{{.name = "dgram", .create = &create_dgram}};
const RegisterType<PacketNetdev, Netdev> registration;

}  // namespace

std::unique_ptr<Netdev> PacketNetdev::make(std::string kind, FileDescriptor socket,
                                           std::string what, std::optional<ResolvedAddress> to) {
  auto netdev = create<PacketNetdev>();
  netdev->kind_ = std::move(kind);
  netdev->what_ = std::move(what);
  netdev->to_ = to;
  netdev->change_socket(std::move(socket));
  return netdev;
}

Result<std::unique_ptr<Netdev>> create_group(std::string kind, const SocketAddress& group,
                                             const std::optional<in_addr>& interface) {
  const ResolvedAddress to = TRY(datagram_address(group, false));
  if (!is_group(to)) return fail("{} is no multicast address", group.host);
  FileDescriptor socket = TRY(join_group(to, interface));
  return PacketNetdev::make(std::move(kind), std::move(socket), "mcast=" + place(group), to);
}

Result<std::unique_ptr<Netdev>> create_packets(std::string kind, const SocketAddress& local,
                                               const SocketAddress& remote) {
  const ResolvedAddress to = TRY(datagram_address(remote, false));
  const ResolvedAddress from = TRY(datagram_address(local, true));
  if (from.name.ss_family != to.name.ss_family)
    return fail("{} and {} are of different families", place(local), place(remote));
  FileDescriptor socket = TRY(bind_datagram(from));
  return PacketNetdev::make(std::move(kind), std::move(socket),
                            fmt::format("udp={}:{}", place(local), place(remote)), to);
}

}  // namespace rhea::net
