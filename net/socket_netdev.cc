// SPDX-License-Identifier: GPL-2.0-or-later
// -netdev socket: the older spelling of stream and dgram, over IPv4.
#include "net/backend.h"
#include "net/net_address.h"
#include "net/packet_netdev.h"
#include "net/stream_netdev.h"

#include <arpa/inet.h>

namespace rhea::net {
namespace {

struct Options {
  std::optional<std::string> fd, listen, connect, mcast, udp, local;

  static Result<Options> take(KeyValues& from) {
    Options all{.fd = from.take("fd"),
                .listen = from.take("listen"),
                .connect = from.take("connect"),
                .mcast = from.take("mcast"),
                .udp = from.take("udp"),
                .local = from.take("localaddr")};
    TRY(from.expect_empty("socket"));
    const int given = all.fd.has_value() + all.listen.has_value() + all.connect.has_value() +
                      all.mcast.has_value() + all.udp.has_value();
    if (given != 1)
      return fail("exactly one of listen=, connect=, mcast=, udp= or fd= is required");
    if (all.local && !all.mcast && !all.udp)
      return fail("localaddr= is only valid with mcast= or udp=");
    if (all.udp && !all.local) return fail("localaddr= is mandatory with udp=");
    return all;
  }
};

Result<std::unique_ptr<Netdev>> on_descriptor(const std::string& text) {
  const int fd = TRY(descriptor_number(text));
  FileDescriptor socket = TRY(adopt_socket(fd));
  const std::string what = fmt::format("fd={}", fd);
  if (is_datagram(fd)) return PacketNetdev::make("socket", std::move(socket), what);
  return StreamNetdev::make(
      StreamNetdev::Plan{.kind = "socket", .connection = std::move(socket), .what = what});
}

Result<std::unique_ptr<Netdev>> in_group(const std::string& mcast,
                                         const std::optional<std::string>& local) {
  std::optional<in_addr> interface;
  if (local && ::inet_aton(local->c_str(), &interface.emplace()) == 0)
    return fail("localaddr '{}' is not a valid IPv4 address", *local);
  const SocketAddress group = TRY(parse_host_port(mcast));
  return create_group("socket", group, interface);
}

Result<std::unique_ptr<Netdev>> create_socket(Machine&, const std::string&, KeyValues& options) {
  const Options given = TRY(Options::take(options));
  if (given.fd) return on_descriptor(*given.fd);
  if (given.mcast) return in_group(*given.mcast, given.local);
  if (given.udp) {
    const SocketAddress local = TRY(parse_host_port(*given.local));
    const SocketAddress remote = TRY(parse_host_port(*given.udp));
    return create_packets("socket", local, remote);
  }
  StreamNetdev::Plan plan{.kind = "socket"};
  if (given.listen) {
    const SocketAddress address = TRY(parse_host_port(*given.listen));
    plan.listener = TRY(listen_at(address));
    plan.what = "listening on " + local_text(plan.listener.get());
  } else {
    const SocketAddress address = TRY(parse_host_port(*given.connect));
    plan.connection = TRY(connect_with(address));
    plan.what = address.text();
  }
  return StreamNetdev::make(std::move(plan));
}

const RegisterBackend socket{{.name = "socket", .create = &create_socket}};

}  // namespace
}  // namespace rhea::net
