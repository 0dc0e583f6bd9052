// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/host_forward.h"

#include "net/forward_rule.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>

namespace rhea::net {
namespace {

// Any base that C has, as QEMU.
bool read_port(const std::string& text, long least, u16& port) {
  char* end{};
  const long value = std::strtol(text.c_str(), &end, 0);
  if (text.empty() || *end != '\0' || value < least || value > 65535) return false;
  port = static_cast<u16>(value);
  return true;
}

Result<HostForward> parse_front(std::string_view& rest, char after_port) {
  HostForward forward;
  const auto protocol = cut(rest, ':');
  if (!protocol) return fail("No : separators");
  if (*protocol != "tcp" && *protocol != "udp" && !protocol->empty())
    return fail("Bad protocol name");
  forward.udp = *protocol == "udp";
  const auto address = cut(rest, ':');
  if (!address) return fail("Missing : separator");
  if (!read_address(*address, forward.host)) return fail("Bad host address");
  const auto port = after_port == '\0' ? std::optional(std::string(rest)) : cut(rest, after_port);
  if (!port) return fail("Bad host port separator");
  if (!read_port(*port, 0, forward.port)) return fail("Bad host port");
  return forward;
}

Result<HostForward> parse_whole(std::string_view rest) {
  HostForward forward = TRY(parse_front(rest, '-'));
  const auto guest = cut(rest, ':');
  if (!guest) return fail("Missing guest address");
  if (!read_address(*guest, forward.guest)) return fail("Bad guest address");
  if (!read_port(std::string(rest), 1, forward.guest_port)) return fail("Bad guest port");
  return forward;
}

}  // namespace

std::string text_of(in_addr address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  return ::inet_ntop(AF_INET, &address, text.data(), text.size());
}

Result<HostForward> HostForward::parse(std::string_view rule) {
  auto forward = parse_whole(rule);
  if (!forward)
    return fail("Invalid host forwarding rule '{}' ({})", rule, forward.error().message());
  return forward;
}

Result<HostForward> HostForward::parse_host_side(std::string_view rule) {
  std::string_view rest = rule;
  auto forward = parse_front(rest, '\0');
  if (!forward) return fail("invalid format: '{}' ({})", rule, forward.error().message());
  return forward;
}

Result<> HostForward::open() {
  const auto refused = [this](int error) {
    return fail("Could not set up host forwarding rule '{}': {}", text(), errno_text(error));
  };
  const int kind = udp ? SOCK_DGRAM : SOCK_STREAM;
  FileDescriptor fd(::socket(AF_INET, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return refused(errno);
  // TCP's old connections would keep the port for a minute. For UDP it would share the port.
  const int on = 1;
  if (!udp) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr = host;
  name.sin_port = htons(port);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    return refused(errno);
  if (!udp && ::listen(fd.get(), 64) != 0) return refused(errno);
  socklen_t length = sizeof name;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &length);
  port = ntohs(name.sin_port);
  socket = std::move(fd);
  return {};
}

bool HostForward::same_host_side(const HostForward& other) const {
  return udp == other.udp && host.s_addr == other.host.s_addr && port == other.port;
}

HostForward HostForward::rule() const {
  return {.udp = udp, .host = host, .port = port, .guest = guest, .guest_port = guest_port};
}

std::string HostForward::text() const {
  return fmt::format("{}:{}:{}-{}:{}", udp ? "udp" : "tcp", text_of(host), port, text_of(guest),
                     guest_port);
}

Json HostForward::message() const {
  return {{"udp", udp},
          {"host", text_of(host)},
          {"port", port},
          {"guest", text_of(guest)},
          {"guest-port", guest_port}};
}

}  // namespace rhea::net
