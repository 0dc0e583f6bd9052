// SPDX-License-Identifier: GPL-2.0-or-later
// Where a socket listens or connects to.
#include "util/socket_address.h"

#include "rhea/util/host_file.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace rhea {
namespace {

constexpr u64 kHighestPort = 65535;

/// Decimal, or hexadecimal behind 0x.
Result<u64> parse_number(std::string_view text, u64 most) {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  const std::string_view digits = text.substr(hexadecimal ? 2 : 0);
  u64 number = 0;
  const char* const last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, number, hexadecimal ? 16 : 10);
  if (end != last || error == std::errc::invalid_argument)
    return fail("'{}' is not a number", text);
  if (error != std::errc{} || number > most) return fail("{} is out of range (0..{})", text, most);
  return number;
}

struct AddressList {
  AddressList() = default;
  AddressList(const AddressList&) = delete;
  AddressList& operator=(const AddressList&) = delete;
  ~AddressList() {
    if (first != nullptr) freeaddrinfo(first);
  }
  addrinfo* first{};
};

// One family alone is meant where it is switched on by itself, or the other one off.
Result<int> family_of(const SocketAddress& address) {
  const bool no4 = !address.ipv4.value_or(true);
  const bool no6 = !address.ipv6.value_or(true);
  if (no4 && no6) return fail("Cannot disable IPv4 and IPv6 at same time");
  if (address.ipv4.value_or(false) && address.ipv6.value_or(false)) return AF_UNSPEC;
  if (no4 || address.ipv6.value_or(false)) return AF_INET6;
  if (no6 || address.ipv4.value_or(false)) return AF_INET;
  return AF_UNSPEC;
}

struct Query {
  int kind{SOCK_STREAM};
  bool passive{false};
  bool numeric{false};  ///< asks no name server
};

Result<std::vector<ResolvedAddress>> look_up(const SocketAddress& address, const std::string& port,
                                             Query query) {
  // The library would take any number, and use its lowest bits.
  if (!port.empty() && port.find_first_not_of("0123456789") == std::string::npos)
    if (auto number = parse_number(port, kHighestPort); !number)
      return std::unexpected(std::move(number).error().within("port"));
  addrinfo hints{};
  hints.ai_family = TRY(family_of(address));
  hints.ai_socktype = query.kind;
  hints.ai_flags = (query.passive ? AI_PASSIVE : 0) | (query.numeric ? AI_NUMERICHOST : 0);
  const char* host = address.host.empty() ? nullptr : address.host.c_str();
  AddressList list;
  if (const int error = getaddrinfo(host, port.c_str(), &hints, &list.first); error != 0)
    return fail("address resolution failed for {}:{}: {}", address.host, port, gai_strerror(error));
  std::vector<ResolvedAddress> all;
  for (const addrinfo* info = list.first; info != nullptr; info = info->ai_next) {
    ResolvedAddress found;
    std::memcpy(&found.name, info->ai_addr, info->ai_addrlen);
    found.length = info->ai_addrlen;
    all.push_back(found);
  }
  return all;
}

Result<FileDescriptor> listen_unix(const SocketAddress& address) {
  const auto [name, length] = TRY(address.unix_name());
  FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail("Failed to create Unix socket: {}", errno_text(errno));
  if (!address.abstract) TRY(remove_old_socket(address.path));
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), length) < 0)
    return fail("Failed to bind socket to {}: {}", address.path, errno_text(errno));
  if (::listen(fd.get(), 16) < 0) return fail("Failed to listen on socket: {}", errno_text(errno));
  return fd;
}

Result<FileDescriptor> listen_on(const ResolvedAddress& at) {
  FileDescriptor fd(::socket(at.name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail("Failed to create a socket: {}", errno_text(errno));
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&at.name), at.length) < 0 ||
      ::listen(fd.get(), 16) < 0)
    return fail("{}", errno_text(errno));
  return fd;
}

Result<FileDescriptor> listen_tcp(const SocketAddress& address, bool may_wait) {
  // A port may have a name; a range of ports begins with a number.
  u64 first = 0;
  if (address.last_port != 0) first = TRY(parse_number(address.port, kHighestPort));
  std::string reason = "no address";
  const bool numeric = !may_wait && address.host != "localhost";
  for (u64 port = first; port <= std::max<u64>(first, address.last_port); ++port) {
    const std::string name = address.last_port != 0 ? std::to_string(port) : address.port;
    for (const ResolvedAddress& at :
         TRY(look_up(address, name, {.passive = true, .numeric = numeric}))) {
      auto fd = listen_on(at);
      if (fd) return fd;
      reason = fd.error().message();
    }
  }
  return fail("Failed to listen on {}: {}", address.text(), reason);
}

Result<FileDescriptor> connect_to(int family, const sockaddr* name, socklen_t length) {
  FileDescriptor fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail("{}", errno_text(errno));
  if (::connect(fd.get(), name, length) < 0 && errno != EINPROGRESS)
    return fail("{}", errno_text(errno));
  return fd;
}

// The descriptor that somebody passed, from now on this program's.
Result<FileDescriptor> adopt(int fd, bool listening) {
  int type = 0;
  int accepts = 0;
  socklen_t length = sizeof(type);
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 || type != SOCK_STREAM)
    return fail("File descriptor '{}' is not a socket", fd);
  length = sizeof(accepts);
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &length) < 0) accepts = 0;
  if (listening && accepts == 0) return fail("File descriptor '{}' is not a listening socket", fd);
  if (!listening && accepts != 0)
    return fail("File descriptor '{}' is a listening socket: it needs server=on", fd);
  const int flags = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return FileDescriptor(fd);
}

std::string name_text(const sockaddr_storage& storage, socklen_t length) {
  const auto* name = reinterpret_cast<const sockaddr*>(&storage);
  if (name->sa_family == AF_UNIX) {
    const auto* local = reinterpret_cast<const sockaddr_un*>(&storage);
    const std::size_t size =
        length - std::min<std::size_t>(length, offsetof(sockaddr_un, sun_path));
    if (size == 0) return {};
    if (local->sun_path[0] == '\0') return "unix:" + std::string(local->sun_path + 1, size - 1);
    return "unix:" + std::string(local->sun_path, strnlen(local->sun_path, size));
  }
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (getnameinfo(name, length, host.data(), host.size(), port.data(), port.size(),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return {};
  const bool bracket = name->sa_family == AF_INET6;
  return fmt::format("{}{}{}:{}", bracket ? "[" : "", host.data(), bracket ? "]" : "", port.data());
}

Result<int> take_fd_number(const std::string& text) {
  const u64 number = TRY(parse_number(text, 1 << 20));
  return static_cast<int>(number);
}

}  // namespace

Result<> take_families(KeyValues& options, SocketAddress& address) {
  if (options.find("ipv4") != nullptr) address.ipv4 = TRY(options.take_bool("ipv4", true));
  if (options.find("ipv6") != nullptr) address.ipv6 = TRY(options.take_bool("ipv6", true));
  return {};
}

Result<> remove_old_socket(const std::string& path) {
  struct stat file{};
  if (::lstat(path.c_str(), &file) < 0) {
    if (errno == ENOENT) return {};
    return fail("Failed to unlink socket {}: {}", path, errno_text(errno));
  }
  const bool empty = S_ISREG(file.st_mode) && file.st_size == 0;
  if (!S_ISSOCK(file.st_mode) && !S_ISLNK(file.st_mode) && !empty)
    return fail("Failed to unlink socket {}: it is there, and no socket", path);
  if (::unlink(path.c_str()) < 0 && errno != ENOENT)
    return fail("Failed to unlink socket {}: {}", path, errno_text(errno));
  return {};
}

Result<SocketAddress> SocketAddress::take(KeyValues& options) {
  SocketAddress address;
  const auto path = options.take("path");
  const auto host = options.take("host");
  const auto port = options.take("port");
  const auto fd = options.take("fd");
  if (path.has_value() + host.has_value() + fd.has_value() > 1)
    return fail("None or one of 'path', 'fd' or 'host' option required.");
  TRY(take_families(options, address));
  address.abstract = TRY(options.take_bool("abstract", false));
  address.tight = TRY(options.take_bool("tight", true));
  if (const auto to = options.take("to"))
    address.last_port = static_cast<u16>(TRY(parse_number(*to, kHighestPort)));
  if (path) {
    address.path = *path;
  } else if (fd) {
    address.kind = Kind::Descriptor;
    address.fd = TRY(take_fd_number(*fd));
  } else {
    address.kind = Kind::Tcp;
    address.host = host.value_or("");
    if (!port) return fail("chardev: socket: no port given");
    address.port = *port;
  }
  return address;
}

Result<FileDescriptor> SocketAddress::listen(bool may_wait) const {
  switch (kind) {
    case Kind::Unix:
      return ask_file_system<FileDescriptor>(path,
                                             [address = *this] { return listen_unix(address); });
    case Kind::Tcp: return listen_tcp(*this, may_wait);
    case Kind::Descriptor: return adopt(fd, true);
  }
  return fail("no address");
}

Result<FileDescriptor> SocketAddress::connect() const {
  if (kind == Kind::Descriptor) return adopt(fd, false);
  const ResolvedAddress name = TRY(unix_name());
  auto made = ask_file_system<FileDescriptor>(path, [name] { return name.connect(); });
  if (!made) return fail("Failed to connect to '{}': {}", path, made.error().message());
  return made;
}

Result<ResolvedAddress> SocketAddress::unix_name() const {
  ResolvedAddress found;
  auto& name = reinterpret_cast<sockaddr_un&>(found.name);
  name.sun_family = AF_UNIX;
  const std::size_t offset = abstract ? 1 : 0;
  if (path.size() + (1 - offset) + offset > sizeof(name.sun_path))
    return fail("UNIX socket path '{}' is too long: at most {} bytes", path,
                sizeof(name.sun_path) - 1);
  std::memcpy(name.sun_path + offset, path.data(), path.size());
  found.length = abstract && tight
                     ? static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + path.size())
                     : static_cast<socklen_t>(sizeof(name));
  return found;
}

Result<std::vector<ResolvedAddress>> SocketAddress::resolve() const {
  return look_up(*this, port, {});
}

Result<std::vector<ResolvedAddress>> SocketAddress::resolve_datagram(bool passive,
                                                                     bool may_wait) const {
  const bool numeric = !may_wait && host != "localhost";
  return look_up(*this, port, {.kind = SOCK_DGRAM, .passive = passive, .numeric = numeric});
}

std::string SocketAddress::text() const {
  switch (kind) {
    case Kind::Unix:
      return fmt::format("unix:{}{}{}", path, abstract ? ",abstract=on" : "",
                         abstract && tight ? ",tight=on" : "");
    case Kind::Tcp: {
      const bool bracket = host.find(':') != std::string::npos;
      return fmt::format("tcp:{}{}{}:{}", bracket ? "[" : "", host, bracket ? "]" : "", port);
    }
    case Kind::Descriptor: return fmt::format("fd:{}", fd);
  }
  return {};
}

Result<FileDescriptor> ResolvedAddress::connect() const {
  return connect_to(name.ss_family, reinterpret_cast<const sockaddr*>(&name), length);
}

std::string local_text(int fd) {
  sockaddr_storage name{};
  socklen_t length = sizeof(name);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length) < 0) return {};
  const std::string text = name_text(name, length);
  return name.ss_family == AF_UNIX ? text : "tcp:" + text;
}

std::string peer_text(int fd) {
  sockaddr_storage name{};
  socklen_t length = sizeof(name);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&name), &length) < 0 || name.ss_family == AF_UNIX)
    return {};
  return name_text(name, length);
}

}  // namespace rhea
