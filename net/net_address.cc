// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/net_address.h"

#include "rhea/util/host_file.h"
#include "rhea/util/log.h"
#include "util/decimal.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace rhea::net {
namespace {

/// How long a refusal may take before a connection counts as under way.
constexpr int kRefusalMs = 200;

/// `prefix.name` of `options` becomes `key` of `members`.
Result<> take_member(KeyValues& options, const std::string& prefix, const std::string& name,
                     KeyValues& members, std::string_view key) {
  auto value = options.take(prefix + "." + name);
  if (!value) return fail("Parameter '{}.{}' is missing", prefix, name);
  members.add(std::string(key), *value);
  return {};
}

Result<int> socket_type(int fd) {
  int type = 0;
  socklen_t length = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0)
    return fail("File descriptor '{}' is not a socket: {}", fd, errno_text(errno));
  return type;
}

Result<FileDescriptor> connect_first(const SocketAddress& address) {
  Result<FileDescriptor> last = fail("no address");
  for (const ResolvedAddress& one : TRY(address.resolve())) {
    last = one.connect();
    if (!last) continue;
    pollfd waited{.fd = last->get(), .events = POLLOUT, .revents = 0};
    int error = 0;
    socklen_t length = sizeof error;
    if (::poll(&waited, 1, kRefusalMs) > 0)
      ::getsockopt(last->get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error == 0) return last;
    last = fail("{}", errno_text(error));
  }
  return last;
}

Result<> allow_others(int fd) {
  const int on = 1;
  if (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
    return fail("can't set socket option SO_REUSEADDR: {}", errno_text(errno));
  return {};
}

}  // namespace

Result<SocketAddress> parse_host_port(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos)
    return fail("host address '{}' doesn't contain ':' separating host from port", text);
  SocketAddress address;
  address.kind = SocketAddress::Kind::Tcp;
  address.ipv4 = true;
  address.host = text.substr(0, colon);
  address.port = text.substr(colon + 1);
  if (!decimal<u16>(address.port)) return fail("port number '{}' is invalid", address.port);
  return address;
}

Result<std::optional<SocketAddress>> take_address(KeyValues& options, const std::string& prefix) {
  const auto type = options.take(prefix + ".type");
  if (!type) return std::nullopt;
  KeyValues members;
  if (*type == "inet") {
    TRY(take_member(options, prefix, "host", members, "host"));
    TRY(take_member(options, prefix, "port", members, "port"));
    for (const char* idle : {"numeric", "keep-alive", "mptcp"})
      if (TRY(options.take_bool(prefix + "." + idle, false)))
        report_warning(fmt::format("{}.{}=on changes nothing in Rhea yet", prefix, idle));
    for (const char* name : {"to", "ipv4", "ipv6"})
      if (auto value = options.take(prefix + "." + name)) members.add(name, *value);
  } else if (*type == "unix") {
    TRY(take_member(options, prefix, "path", members, "path"));
    for (const char* name : {"abstract", "tight"})
      if (auto value = options.take(prefix + "." + name)) members.add(name, *value);
  } else if (*type == "fd") {
    TRY(take_member(options, prefix, "str", members, "fd"));
  } else if (*type == "vsock") {
    return fail("{}.type: QEMU has vsock; Rhea has not yet", prefix);
  } else {
    return fail("Parameter '{}.type' does not accept value '{}'", prefix, *type);
  }
  return TRY(SocketAddress::take(members));
}

Result<FileDescriptor> listen_at(const SocketAddress& address) {
  if (address.kind != SocketAddress::Kind::Tcp) return address.listen(true);
  return ask_file_system<FileDescriptor>(address.text(),
                                         [address] { return address.listen(true); });
}

Result<FileDescriptor> connect_with(const SocketAddress& address) {
  if (address.kind != SocketAddress::Kind::Tcp) return address.connect();
  auto made =
      ask_file_system<FileDescriptor>(address.text(), [address] { return connect_first(address); });
  if (!made) return fail("can't connect to {}: {}", address.text(), made.error().message());
  return made;
}

Result<ResolvedAddress> datagram_address(const SocketAddress& address, bool passive) {
  if (address.kind == SocketAddress::Kind::Unix) {
    if (address.path.empty()) return fail("UNIX socket path '' is empty");
    return address.unix_name();
  }
  return ask_file_system<ResolvedAddress>(address.text(),
                                          [address, passive]() -> Result<ResolvedAddress> {
                                            auto all = TRY(address.resolve_datagram(passive, true));
                                            if (all.empty()) return fail("no address");
                                            return all.front();
                                          });
}

Result<FileDescriptor> bind_datagram(const ResolvedAddress& local) {
  FileDescriptor fd(::socket(local.name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail("can't create datagram socket: {}", errno_text(errno));
  if (local.name.ss_family == AF_UNIX) {
    const auto* name = reinterpret_cast<const sockaddr_un*>(&local.name);
    // An abstract name begins with a zero.
    if (name->sun_path[0] != '\0') TRY(remove_old_socket(name->sun_path));
  } else {
    TRY(allow_others(fd.get()));
  }
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&local.name), local.length) < 0)
    return fail("can't bind to the local address: {}", errno_text(errno));
  return fd;
}

Result<FileDescriptor> join_group(const ResolvedAddress& group,
                                  const std::optional<in_addr>& interface) {
  FileDescriptor fd = TRY(bind_datagram(group));
  ip_mreq request{};
  request.imr_multiaddr = reinterpret_cast<const sockaddr_in*>(&group.name)->sin_addr;
  request.imr_interface.s_addr = interface ? interface->s_addr : htonl(INADDR_ANY);
  if (::setsockopt(fd.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) < 0)
    return fail("can't add socket to multicast group {}: {}", inet_ntoa(request.imr_multiaddr),
                errno_text(errno));
  const int on = 1;
  if (::setsockopt(fd.get(), IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof on) < 0 ||
      (interface &&
       ::setsockopt(fd.get(), IPPROTO_IP, IP_MULTICAST_IF, &*interface, sizeof *interface) < 0))
    return fail("can't send to multicast group {}: {}", inet_ntoa(request.imr_multiaddr),
                errno_text(errno));
  return fd;
}

bool is_group(const ResolvedAddress& address) {
  return address.name.ss_family == AF_INET &&
         IN_MULTICAST(ntohl(reinterpret_cast<const sockaddr_in*>(&address.name)->sin_addr.s_addr));
}

Result<int> descriptor_number(const std::string& text) {
  const auto fd = decimal<int>(text);
  if (!fd || *fd < 0) return fail("Invalid file descriptor number '{}'", text);
  return *fd;
}

Result<FileDescriptor> adopt_socket(int fd) {
  TRY(socket_type(fd));
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return FileDescriptor(fd);
}

bool is_datagram(int fd) {
  const auto type = socket_type(fd);
  return type && *type != SOCK_STREAM;
}

}  // namespace rhea::net
